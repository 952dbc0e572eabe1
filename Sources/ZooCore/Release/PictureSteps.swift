// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How decoded 8-bit pictures become tensors, step by step: `inputs.preprocessing` of a release record.
///
/// `registry/SPEC.md` section 4.1.
public struct PictureSteps: Sendable, Equatable {
    /// Which way is up.
    public enum Orientation: String, Sendable, CaseIterable {
        /// The orientation that the file states is applied.
        case upright
        /// Pixels are taken as they are stored.
        case stored
    }

    /// The size that pictures are scaled to.
    public enum Resize: Sendable, Equatable {
        /// None.
        case none
        /// The shorter side to so many pixels, the longer one in proportion.
        case shorterSide(Int)
        /// Both sides, whatever the aspect.
        case exact(height: Int, width: Int)
    }

    /// How pictures are scaled.
    public struct Resampling: Sendable, Equatable {
        /// The interpolation.
        public enum Filter: String, Sendable, CaseIterable {
            /// Linear in both directions.
            case bilinear
            /// Cubic in both directions.
            case bicubic
        }

        /// What is scaled.
        public enum Domain: String, Sendable, CaseIterable {
            /// The 8-bit picture.
            case bytes = "u8"
            /// Floats before normalisation.
            case floats = "f32"
            /// Floats after it.
            case normalized
        }

        /// Whose arithmetic; they differ in the last bits.
        public enum Implementation: String, Sendable, CaseIterable {
            /// torchvision and PyTorch.
            case torchvision
            /// Pillow.
            case pillow
            /// OpenCV.
            case opencv
        }

        /// The interpolation.
        public let filter: Filter
        /// Whether the filter widens when pictures shrink.
        public let antialias: Bool
        /// What is scaled.
        public let domain: Domain
        /// Whose arithmetic.
        public let implementation: Implementation

        /// A rule.
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

    /// The part of the scaled picture that is kept.
    public enum Crop: Sendable, Equatable {
        /// Where half a pixel goes.
        public enum Rounding: String, Sendable, CaseIterable {
            /// To the even one of the two pixels.
            case halfToEven = "half-even"
            /// To the lower pixel.
            case down
        }

        /// All of it.
        case none
        /// The middle.
        case center(height: Int, width: Int, Rounding)
        /// Squares along the longer side.
        case views(side: Int, count: Int)
    }

    /// Which way is up.
    public let orientation: Orientation
    /// The size that pictures are scaled to.
    public let resize: Resize
    /// How; nil exactly when nothing is scaled.
    public let resampling: Resampling?
    /// The part that is kept.
    public let crop: Crop
    /// What 8-bit values are multiplied with.
    public let rescale: Double
    /// What is then subtracted from each channel.
    public let mean: [Double]
    /// What each channel is then divided by.
    public let std: [Double]

    /// Steps that a program knows.
    public init(
        orientation: Orientation = .upright,
        resize: Resize,
        resampling: Resampling?,
        crop: Crop,
        rescale: Double = 1.0 / 255,
        mean: [Double],
        std: [Double]
    ) {
        precondition((resize == .none) == (resampling == nil), "a resize and its rule go together")
        self.orientation = orientation
        self.resize = resize
        self.resampling = resampling
        self.crop = crop
        self.rescale = rescale
        self.mean = mean
        self.std = std
    }

    /// Reads the fields.
    ///
    /// - Parameters:
    ///   - object: `inputs.preprocessing`.
    ///   - channels: the channels of a picture.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    public init(_ object: JSONObject, channels: Int) throws(ZooError) {
        orientation = try object.choice("orientation", of: Orientation.self)
        resize = try Self.resize(try object.object("resize"))
        resampling =
            object.value("resampling") == "none"
            ? nil : try Resampling(try object.object("resampling"))
        guard (resize == .none) == (resampling == nil) else {
            throw object.invalid("resampling", "must be 'none' exactly when nothing is resized")
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

    /// The fields.
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
