// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ReleaseRecord {
    /// What the model takes.
    public enum Inputs: Sendable, Equatable {
        /// Pictures: `image` or `video`.
        case pictures(Pictures)
        /// Windows of a series of measurements.
        case series(Series)
        /// One vector of measurements.
        case vector([Quantity])
        /// Features of another model, by its name.
        case features(model: String, [Quantity])

        /// The kinds of data.
        public enum Modality: String, Sendable, CaseIterable {
            /// Single pictures.
            case image
            /// Sequences of frames.
            case video
            /// Sequences of vectors.
            case series
            /// Vectors.
            case vector
            /// Features of an encoder.
            case features
        }

        /// The kind of data.
        public var modality: Modality {
            switch self {
            case .pictures(let pictures): pictures.isVideo ? .video : .image
            case .series: .series
            case .vector: .vector
            case .features: .features
            }
        }

        /// The numbers of a step, where inputs are vectors; none for pictures.
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

    /// Pictures as a model takes them.
    public struct Pictures: Sendable, Equatable {
        /// Whether frames follow each other in time.
        public let isVideo: Bool
        /// Frames per clip; 1 for single pictures.
        public let frames: Int
        /// Rows of pixels.
        public let height: Int
        /// Columns of pixels.
        public let width: Int
        /// The order of channels, such as `rgb`.
        public let channels: String
        /// The order of axes, such as `BTCHW`.
        public let layout: String
        /// How decoded pictures become tensors.
        public let preprocessing: Preprocessing

        /// How decoded pictures become tensors, as the version of the record states it.
        public enum Preprocessing: Sendable, Equatable {
            /// Version 2: every step is a field.
            case steps(PictureSteps)
            /// Version 1: statistics, and a text that people can read.
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

    /// Windows of a series of measurements.
    public struct Series: Sendable, Equatable {
        /// Steps of a window.
        public let length: Int
        /// Steps per second, where the model was made for one rate.
        public let rate: Double?
        /// The numbers of a step.
        public let quantities: [Quantity]

        init(_ object: JSONObject) throws(ZooError) {
            length = try object.integer("length", in: 1...1 << 31)
            rate = object.value("rate") == nil ? nil : try object.positiveNumber("rate")
            quantities = try Quantity.array(object, "quantities")
        }
    }

    /// One number of a vector: an action, a state, or a measurement.
    public struct Quantity: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// Its unit as a UCUM code, such as `m` or `rad`; `1` for a number without unit.
        public let unit: String
        /// The model takes (value − `mean`) / `std`.
        public let mean: Double
        /// Greater than 0.
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
                throw object.invalid(name, "names a quantity twice")
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

    /// A digest that may be missing.
    func optionalDigest(_ name: String) throws(ZooError) -> ContentDigest? {
        value(name) == nil ? nil : try digest(name)
    }

    /// `mean` and `std` with one number for each channel; `std` divides.
    func statistics(channels: Int) throws(ZooError) -> (mean: [Double], std: [Double]) {
        let (mean, std) = (try numbers("mean", maximum: 16), try numbers("std", maximum: 16))
        guard mean.count == channels, std.count == channels else {
            throw invalid("mean", "and 'std' need one value for each channel")
        }
        guard std.allSatisfy({ $0 > 0 }) else {
            throw invalid("std", "divides, so its values must be greater than 0")
        }
        return (mean, std)
    }
}
