// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ReleaseRecord {
    /// The inputs of the model.
    public enum Inputs: Sendable, Equatable {
        /// Images or videos.
        case pictures(Pictures)
        /// Windows of a time series.
        case series(Series)
        /// One vector.
        case vector([Quantity])
        /// Features of another model, which is identified by its name.
        case features(model: String, [Quantity])

        /// The modalities.
        public enum Modality: String, Sendable, CaseIterable {
            /// Images.
            case image
            /// Videos.
            case video
            /// Time series of vectors.
            case series
            /// Vectors.
            case vector
            /// Features of an encoder.
            case features
        }

        /// The modality.
        public var modality: Modality {
            switch self {
            case .pictures(let pictures): pictures.isVideo ? .video : .image
            case .series: .series
            case .vector: .vector
            case .features: .features
            }
        }

        /// The quantities of a vector; empty for images and videos.
        public var quantities: [Quantity] {
            switch self {
            case .pictures: []
            case .series(let series): series.quantities
            case .vector(let quantities), .features(_, let quantities): quantities
            }
        }

        init(_ object: JSONObject, _ version: FormatVersion) throws(ZooError) {
            let modality = try object.choice("modality", of: Modality.self)
            switch modality {
            case .image, .video:
                self = .pictures(try Pictures(object, isVideo: modality == .video, version))
            case _ where version == .one:
                throw object.invalid("modality", "must be 'image' or 'video'")
            case .series: self = .series(try Series(object))
            case .vector: self = .vector(try Quantity.array(object, "quantities"))
            case .features:
                self = .features(
                    model: try object.string("model"),
                    object.value("quantities") == nil
                        ? [] : try Quantity.array(object, "quantities")
                )
            }
        }
    }

    /// The format of images and videos.
    public struct Pictures: Sendable, Equatable {
        /// Whether the input is a video.
        public let isVideo: Bool
        /// The number of frames of a clip; 1 for an image.
        public let frames: Int
        /// The height in pixels.
        public let height: Int
        /// The width in pixels.
        public let width: Int
        /// The order of channels, such as `rgb`.
        public let channels: String
        /// The order of dimensions, such as `BTCHW`.
        public let layout: String
        /// The preprocessing of decoded images.
        public let preprocessing: Preprocessing

        /// The preprocessing in the form of the record's version.
        public enum Preprocessing: Sendable, Equatable {
            /// Version 2: fields.
            case steps(PictureSteps)
            /// Version 1: mean and std, and a description of the resampling as text.
            case prose(mean: [Double], std: [Double], resampling: String)
        }

        init(_ object: JSONObject, isVideo: Bool, _ version: FormatVersion) throws(ZooError) {
            self.isVideo = isVideo
            frames = try object.integer("frames", in: 1...65_536)
            height = try object.integer("height", in: 1...65_536)
            width = try object.integer("width", in: 1...65_536)
            channels = try object.string("channels", maximum: 16)
            layout = try object.string("layout", maximum: 8)
            guard isVideo || frames == 1 || version == .one else {
                throw object.invalid("frames", "must be 1 for an image")
            }
            switch version {
            case .one:
                let (mean, std) = try object.statistics(channels: channels.utf8.count)
                preprocessing = .prose(
                    mean: mean,
                    std: std,
                    resampling: try object.string("resampling", maximum: 128)
                )
            case .two:
                preprocessing = .steps(
                    try PictureSteps(
                        try object.object("preprocessing"),
                        channels: channels.utf8.count
                    )
                )
            }
        }
    }

    /// The format of time series.
    public struct Series: Sendable, Equatable {
        /// The number of steps of a window.
        public let length: Int
        /// The rate in hertz, if the model requires one.
        public let rate: Double?
        /// The quantities of a step.
        public let quantities: [Quantity]

        init(_ object: JSONObject) throws(ZooError) {
            length = try object.integer("length", in: 1...1 << 31)
            rate = object.value("rate") == nil ? nil : try object.positiveNumber("rate")
            quantities = try Quantity.array(object, "quantities")
        }
    }

    /// One element of a vector: of an action, a state or a measurement.
    public struct Quantity: Sendable, Equatable {
        /// The name.
        public let name: String
        /// The unit as a UCUM code, such as `m` or `rad`; `1` for a dimensionless quantity.
        public let unit: String
        /// The mean; the model takes (value − `mean`) / `std`.
        public let mean: Double
        /// The std, greater than 0.
        public let std: Double

        init(_ object: JSONObject) throws(ZooError) {
            name = try object.string("name", maximum: 64)
            unit = try object.string("unit", maximum: 32)
            mean = object.value("mean") == nil ? 0 : try object.number("mean")
            std = object.value("std") == nil ? 1 : try object.positiveNumber("std")
        }

        static func array(_ object: JSONObject, _ name: String) throws(ZooError) -> [Quantity] {
            var quantities: [Quantity] = []
            for item in try object.objects(name, maximum: 1024) {
                quantities.append(try Quantity(item))
            }
            guard Set(quantities.map(\.name)).count == quantities.count else {
                throw object.invalid(name, "lists a quantity twice")
            }
            return quantities
        }
    }
}

extension JSONObject {
    /// A number greater than 0.
    func positiveNumber(_ name: String) throws(ZooError) -> Double {
        let value = try number(name)
        guard value > 0 else { throw invalid(name, "must be greater than 0") }
        return value
    }

    /// A digest, or nil if the field is missing.
    func optionalDigest(_ name: String) throws(ZooError) -> ContentDigest? {
        value(name) == nil ? nil : try digest(name)
    }

    /// `mean` and `std`, with one number for each channel.
    func statistics(channels: Int) throws(ZooError) -> (mean: [Double], std: [Double]) {
        let (mean, std) = (try numbers("mean", maximum: 16), try numbers("std", maximum: 16))
        guard mean.count == channels, std.count == channels else {
            throw invalid("mean", "and 'std' must have one value for each channel")
        }
        guard std.allSatisfy({ $0 > 0 }) else {
            throw invalid("std", "must have values greater than 0")
        }
        return (mean, std)
    }
}
