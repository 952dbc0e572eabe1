// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ReleaseRecord {
    /// What the model is.
    public struct Architecture: Sendable, Equatable {
        /// The family, such as `vjepa2`.
        public let family: String
        /// The variant inside the family, such as `vit-l-16`.
        public let variant: String
        /// The family's own fields, as its `config.json` gives them.
        public let configuration: [String: JSONValue]

        init(_ object: JSONObject) throws(ZooError) {
            family = try object.string("family", maximum: 64)
            variant = try object.string("variant", maximum: 128)
            configuration = try object.object("configuration").members
        }
    }

    /// What the model takes.
    public struct Inputs: Sendable, Equatable {
        /// The kind of data.
        public enum Modality: String, Sendable, CaseIterable {
            /// Single pictures.
            case image
            /// Sequences of frames.
            case video
        }

        /// The kind of data.
        public let modality: Modality
        /// Frames per clip.
        public let frames: Int
        /// Rows of pixels.
        public let height: Int
        /// Columns of pixels.
        public let width: Int
        /// The order of channels, such as `rgb`.
        public let channels: String
        /// The order of axes, such as `BTCHW`.
        public let layout: String
        /// What is subtracted from each channel, in units of 0…1.
        public let mean: [Double]
        /// What each channel is then divided by.
        public let std: [Double]
        /// The exact resampling rule, or `none` when inputs have the model's size.
        public let resampling: String

        init(_ object: JSONObject) throws(ZooError) {
            modality = try object.choice("modality", of: Modality.self)
            frames = try object.integer("frames", in: 1...65_536)
            height = try object.integer("height", in: 1...65_536)
            width = try object.integer("width", in: 1...65_536)
            channels = try object.string("channels", maximum: 16)
            layout = try object.string("layout", maximum: 8)
            mean = try object.numbers("mean", maximum: 16)
            std = try object.numbers("std", maximum: 16)
            resampling = try object.string("resampling", maximum: 128)
            guard mean.count == channels.utf8.count, std.count == channels.utf8.count else {
                throw object.invalid("mean", "and 'std' need one value for each channel")
            }
            guard std.allSatisfy({ $0 > 0 }) else {
                throw object.invalid("std", "divides, so its values must be greater than 0")
            }
        }
    }

    /// A part of the model that can be used on its own.
    public struct Component: Sendable, Equatable {
        /// Its name, such as `encoder`.
        public let name: String
        /// The files that hold it.
        public let files: [ReleasePath]
        /// What its tensor names begin with; empty when the files hold nothing else.
        public let prefix: String
        /// How many tensors it has.
        public let tensors: Int
        /// How many numbers they hold.
        public let parameters: Int
        /// The types they are stored in.
        public let dtypes: [String]
        /// The tensor fingerprint, `registry/SPEC.md` section 4.3.
        public let fingerprint: ContentDigest

        init(_ object: JSONObject) throws(ZooError) {
            name = try object.string("name", maximum: 64)
            guard ModelName.isWord(name) else { throw object.invalid("name", "is not a word") }
            var files: [ReleasePath] = []
            for text in try object.strings("files", maximum: FormatLimits.files, each: 1024) {
                files.append(try ReleasePath(parsing: text))
            }
            self.files = files
            prefix =
                object.value("prefix") == .string("") ? "" : try object.string("prefix")
            tensors = try object.integer("tensors", in: 0...10_000_000)
            parameters = try object.integer("parameters", in: 0...JSONValue.largestInteger)
            dtypes = try object.strings("dtypes", maximum: 32, each: 16)
            fingerprint = try object.digest("fingerprint")
        }
    }

    /// One file of the model folder.
    public struct File: Sendable, Equatable {
        /// Its path in the folder.
        public let path: ReleasePath
        /// Its bytes.
        public let size: Int
        /// The digest of its content.
        public let digest: ContentDigest
        /// The archive that carries it.
        public let archive: String
        /// Where its content begins in that archive's raw stream.
        public let offset: Int

        init(_ object: JSONObject) throws(ZooError) {
            path = try ReleasePath(parsing: try object.string("path", maximum: 1024))
            size = try object.size("size")
            digest = try object.digest("digest")
            archive = try object.string("archive", maximum: 64)
            offset = try object.size("offset")
            guard ModelName.isWord(archive) else {
                throw object.invalid("archive", "is not a word")
            }
        }
    }

    /// Where the weights come from.
    public struct Lineage: Sendable, Equatable {
        /// How the weights came about.
        public enum Kind: String, Sendable, CaseIterable {
            /// Trained by the authors of this release.
            case trained
            /// Taken from another file without retraining.
            case converted
        }

        /// How the weights came about.
        public let kind: Kind
        /// The whole of what the record says, for display.
        public let details: [String: JSONValue]

        init(_ object: JSONObject) throws(ZooError) {
            kind = try object.choice("kind", of: Kind.self)
            details = object.members
        }
    }

    /// A number that somebody claims about the model.
    public struct EvaluationClaim: Sendable, Equatable {
        /// Which way is better.
        public enum Direction: String, Sendable, CaseIterable {
            /// Smaller values are better.
            case lower
            /// Larger values are better.
            case higher
        }
        /// How the number was obtained.
        public enum Status: String, Sendable, CaseIterable {
            /// Measured by the publisher, with the source named.
            case measured
            /// Copied from the lab that published the weights.
            case upstream
        }

        /// The evaluation suite.
        public let suite: String
        /// The data it ran on.
        public let dataset: String
        /// What was measured.
        public let metric: String
        /// Its unit, such as `px` or `percent`.
        public let unit: String
        /// Which way is better.
        public let direction: Direction
        /// The value.
        public let value: Double
        /// How far a repetition may be off, in the same unit.
        public let tolerance: Double?
        /// How the number was obtained.
        public let status: Status
        /// The script, table or page that it comes from.
        public let source: String

        init(_ object: JSONObject) throws(ZooError) {
            suite = try object.string("suite")
            dataset = try object.string("dataset")
            metric = try object.string("metric")
            unit = try object.string("unit", maximum: 32)
            direction = try object.choice("direction", of: Direction.self)
            value = try object.number("value")
            tolerance = object.value("tolerance") == nil ? nil : try object.number("tolerance")
            status = try object.choice("status", of: Status.self)
            source = try object.string("source", maximum: 2048)
        }
    }
}
