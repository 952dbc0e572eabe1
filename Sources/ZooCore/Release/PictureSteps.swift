// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The preprocessing of decoded 8-bit images: `inputs.preprocessing` of a release record.
///
/// `registry/SPEC.md` section 4.1 specifies the fields.
public struct PictureSteps: Sendable, Equatable {
    /// The orientation in which images are read.
    public enum Orientation: String, Sendable, CaseIterable {
        /// The orientation that the file states is applied.
        case upright
        /// The stated orientation is ignored.
        case stored
    }

    /// The rule for the size after resizing.
    public enum Resize: Sendable, Equatable {
        /// Images are not resized.
        case none
        /// The shorter side gets this size in pixels; the aspect ratio is kept.
        case shorterSide(Int)
        /// Both sides get these sizes; the aspect ratio is not kept.
        case exact(height: Int, width: Int)
    }

    /// The resampling method.
    public struct Resampling: Sendable, Equatable {
        /// The interpolation filter.
        public enum Filter: String, Sendable, CaseIterable {
            /// Bilinear interpolation.
            case bilinear
            /// Bicubic interpolation.
            case bicubic
        }

        /// The values that are resampled.
        public enum Domain: String, Sendable, CaseIterable {
            /// The 8-bit image.
            case bytes = "u8"
            /// Floats before normalisation.
            case floats = "f32"
            /// Floats after normalisation.
            case normalized
        }

        /// The library whose arithmetic is reproduced; libraries differ in the last bits.
        public enum Implementation: String, Sendable, CaseIterable {
            /// torchvision and PyTorch.
            case torchvision
            /// Pillow.
            case pillow
            /// OpenCV.
            case opencv
        }

        /// The interpolation filter.
        public let filter: Filter
        /// Whether the filter is widened when images are scaled down.
        public let antialias: Bool
        /// The values that are resampled.
        public let domain: Domain
        /// The library whose arithmetic is reproduced.
        public let implementation: Implementation

        /// Creates a resampling method.
        public init(
            filter: Filter,
            antialias: Bool,
            domain: Domain,
            implementation: Implementation
        ) {
            self.filter = filter
            self.antialias = antialias
            self.domain = domain
            self.implementation = implementation
        }
    }

    /// The rule for the part of the resized image that is kept.
    public enum Crop: Sendable, Equatable {
        /// The rounding of an offset with half a pixel.
        public enum Rounding: String, Sendable, CaseIterable {
            /// Half to even.
            case halfToEven = "half-even"
            /// Down.
            case down
        }

        /// The whole image.
        case none
        /// The centre.
        case center(height: Int, width: Int, Rounding)
        /// Squares at equal distances along the longer side.
        case views(side: Int, count: Int)
    }

    /// The orientation in which images are read.
    public let orientation: Orientation
    /// The size after resizing.
    public let resize: Resize
    /// The resampling method; nil exactly when images are not resized.
    public let resampling: Resampling?
    /// The part that is kept.
    public let crop: Crop
    /// The factor for 8-bit values.
    public let rescale: Double
    /// The mean of each channel, which is subtracted after rescaling.
    public let mean: [Double]
    /// The std of each channel, by which the difference is divided.
    public let std: [Double]

    /// Creates the steps.
    public init(
        orientation: Orientation = .upright,
        resize: Resize,
        resampling: Resampling?,
        crop: Crop,
        rescale: Double = 1.0 / 255,
        mean: [Double],
        std: [Double]
    ) {
        precondition((resize == .none) == (resampling == nil), "only resized images are resampled")
        self.orientation = orientation
        self.resize = resize
        self.resampling = resampling
        self.crop = crop
        self.rescale = rescale
        self.mean = mean
        self.std = std
    }

    /// Parses the fields.
    ///
    /// - Parameters:
    ///   - object: The field `inputs.preprocessing`.
    ///   - channels: The number of channels of an image.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    public init(_ object: JSONObject, channels: Int) throws(ZooError) {
        orientation = try object.choice("orientation", of: Orientation.self)
        resize = try Self.resize(try object.object("resize"))
        resampling =
            object.value("resampling") == "none"
            ? nil : try Resampling(try object.object("resampling"))
        guard (resize == .none) == (resampling == nil) else {
            throw object.invalid("resampling", "must be 'none' exactly when 'resize' is 'none'")
        }
        crop = try Self.crop(try object.object("crop"))
        rescale = try object.positiveNumber("rescale")
        (mean, std) = try object.statistics(channels: channels)
    }

    private static let sides = 1...65_536

    private static func resize(_ object: JSONObject) throws(ZooError) -> Resize {
        switch try object.string("rule") {
        case "none": return .none
        case "shorter-side": return .shorterSide(try object.integer("side", in: sides))
        case "exact":
            return .exact(
                height: try object.integer("height", in: sides),
                width: try object.integer("width", in: sides)
            )
        case let rule:
            throw object.invalid("rule", "is '\(rule)', not 'none', 'shorter-side' or 'exact'")
        }
    }

    private static func crop(_ object: JSONObject) throws(ZooError) -> Crop {
        switch try object.string("rule") {
        case "none": return .none
        case "center":
            return .center(
                height: try object.integer("height", in: sides),
                width: try object.integer("width", in: sides),
                try object.choice("rounding", of: Crop.Rounding.self)
            )
        case "views":
            return .views(
                side: try object.integer("side", in: sides),
                count: try object.integer("count", in: sides)
            )
        case let rule:
            throw object.invalid("rule", "is '\(rule)', not 'none', 'center' or 'views'")
        }
    }

    /// The JSON object of the fields.
    public var json: JSONValue {
        [
            "orientation": .string(orientation.rawValue), "resize": resize.json,
            "resampling": resampling?.json ?? "none", "crop": crop.json,
            "rescale": .number(rescale), "mean": .array(mean.map { .number($0) }),
            "std": .array(std.map { .number($0) }),
        ]
    }
}

extension PictureSteps.Resampling {
    fileprivate init(_ object: JSONObject) throws(ZooError) {
        filter = try object.choice("filter", of: Filter.self)
        guard case .bool(let antialias)? = object.value("antialias") else {
            throw object.invalid("antialias", "must be true or false")
        }
        self.antialias = antialias
        domain = try object.choice("domain", of: Domain.self)
        implementation = try object.choice("implementation", of: Implementation.self)
    }

    fileprivate var json: JSONValue {
        [
            "filter": .string(filter.rawValue), "antialias": .bool(antialias),
            "domain": .string(domain.rawValue),
            "implementation": .string(implementation.rawValue),
        ]
    }
}

extension PictureSteps.Resize {
    fileprivate var json: JSONValue {
        switch self {
        case .none: ["rule": "none"]
        case .shorterSide(let side): ["rule": "shorter-side", "side": .integer(side)]
        case .exact(let height, let width):
            ["rule": "exact", "height": .integer(height), "width": .integer(width)]
        }
    }
}

extension PictureSteps.Crop {
    fileprivate var json: JSONValue {
        switch self {
        case .none: ["rule": "none"]
        case .center(let height, let width, let rounding):
            [
                "rule": "center", "height": .integer(height), "width": .integer(width),
                "rounding": .string(rounding.rawValue),
            ]
        case .views(let side, let count):
            ["rule": "views", "side": .integer(side), "count": .integer(count)]
        }
    }
}
