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
        /// How the weights are quantised; nil when they are not.
        public let quantisation: Quantisation?

        /// How weights are quantised.
        public struct Quantisation: Sendable, Equatable {
            /// The scheme, such as `int8-per-output`.
            public let scheme: String
            /// The fingerprint of the tensors before.
            public let source: ContentDigest?
        }

        init(_ object: JSONObject, _ version: FormatVersion) throws(ZooError) {
            quantisation = version == .one ? nil : try Self.quantisation(object)
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

        private static func quantisation(_ object: JSONObject) throws(ZooError) -> Quantisation? {
            guard let fields = try object.optionalObject("quantisation") else { return nil }
            return Quantisation(
                scheme: try fields.string("scheme", maximum: 64),
                source: try fields.optionalDigest("source")
            )
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
        /// The digest of the suite's definition, where it is known.
        public let suiteDigest: ContentDigest?
        /// The data it ran on.
        public let dataset: String
        /// The digest of the data set's manifest, where it is known.
        public let datasetDigest: ContentDigest?
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

        init(_ object: JSONObject, _ version: FormatVersion) throws(ZooError) {
            suite = try object.string("suite")
            dataset = try object.string("dataset")
            suiteDigest = version == .one ? nil : try object.optionalDigest("suiteDigest")
            datasetDigest = version == .one ? nil : try object.optionalDigest("datasetDigest")
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
