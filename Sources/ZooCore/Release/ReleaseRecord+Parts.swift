// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ReleaseRecord {
    /// The architecture of the model.
    public struct Architecture: Sendable, Equatable {
        /// The family, such as `vjepa2`.
        public let family: String
        /// The variant inside the family, such as `vit-l-16`.
        public let variant: String
        /// The family-specific fields of `config.json`.
        public let configuration: [String: JSONValue]

        init(_ object: JSONObject) throws(ZooError) {
            family = try object.string("family", maximum: 64)
            variant = try object.string("variant", maximum: 128)
            configuration = try object.object("configuration").members
        }
    }

    /// A part of the model that can be used separately.
    public struct Component: Sendable, Equatable {
        /// The name, such as `encoder`.
        public let name: String
        /// The files that hold the component.
        public let files: [ReleasePath]
        /// The prefix of its tensor names; empty when the files hold only this component.
        public let prefix: String
        /// The number of tensors.
        public let tensors: Int
        /// The number of parameters.
        public let parameters: Int
        /// The dtypes of the tensors.
        public let dtypes: [String]
        /// The tensor fingerprint, `registry/SPEC.md` section 4.3.
        public let fingerprint: ContentDigest
        /// How the weights are quantised; nil when they are not.
        public let quantisation: Quantisation?

        /// How weights are quantised.
        public struct Quantisation: Sendable, Equatable {
            /// The scheme, such as `int8-per-output`.
            public let scheme: String
            /// The fingerprint of the tensors before quantisation; nil when unknown.
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
        /// The path in the model folder.
        public let path: ReleasePath
        /// The size in bytes.
        public let size: Int
        /// The digest of the content.
        public let digest: ContentDigest
        /// The name of the archive that contains the file.
        public let archive: String
        /// The offset of the content in the raw stream of that archive.
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

    /// The origin of the weights.
    public struct Lineage: Sendable, Equatable {
        /// How the weights were obtained.
        public enum Kind: String, Sendable, CaseIterable {
            /// Trained by the authors of this release.
            case trained
            /// Converted from another file without retraining.
            case converted
        }

        /// How the weights were obtained.
        public let kind: Kind
        /// All lineage members of the record, for display.
        public let details: [String: JSONValue]

        init(_ object: JSONObject) throws(ZooError) {
            kind = try object.choice("kind", of: Kind.self)
            details = object.members
        }
    }

    /// A reported evaluation result.
    public struct EvaluationClaim: Sendable, Equatable {
        /// Whether lower or higher values are better.
        public enum Direction: String, Sendable, CaseIterable {
            /// Smaller values are better.
            case lower
            /// Larger values are better.
            case higher
        }
        /// How the value was obtained.
        public enum Status: String, Sendable, CaseIterable {
            /// Measured by the publisher of this release.
            case measured
            /// Reported by the lab that published the weights.
            case upstream
        }

        /// The evaluation suite.
        public let suite: String
        /// The digest of the suite definition; nil when unknown.
        public let suiteDigest: ContentDigest?
        /// The data set that was evaluated.
        public let dataset: String
        /// The digest of the data set's manifest; nil when unknown.
        public let datasetDigest: ContentDigest?
        /// The metric.
        public let metric: String
        /// The unit, such as `px` or `percent`.
        public let unit: String
        /// Whether lower or higher values are better.
        public let direction: Direction
        /// The value.
        public let value: Double
        /// The allowed difference of a repeated measurement, in the same unit.
        public let tolerance: Double?
        /// How the value was obtained.
        public let status: Status
        /// The script, table or page that the value comes from.
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
