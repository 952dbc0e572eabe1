// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// From which files a conversion made which files of a model: an in-toto statement with SLSA provenance.
///
/// It says what its author says; only a signature tells who that is. Sources: slsa.dev `spec/v1.0/provenance.md`,
/// in-toto/attestation `spec/v1/statement.md`.
public struct ConversionProvenance: Sendable {
    /// The name of the statement in the folder that a conversion writes.
    public static let fileName = "provenance.intoto.json"
    /// The type of the predicate.
    public static let predicateType = "https://slsa.dev/provenance/v1"
    /// What the fields of `externalParameters` mean, `registry/SPEC.md` section 16.
    public static let buildType = "https://ami-zoo.org/build/conversion/v1"
    private static let builder = "https://ami-zoo.org/builder/ami-zoo"

    /// A file that the conversion read.
    public struct Source: Sendable, Equatable {
        /// The name of the file.
        public let name: String
        /// Where it was fetched from; nil when that is unknown.
        public let uri: String?
        /// The digest of its bytes.
        public let digest: ContentDigest

        /// Describes a file.
        public init(name: String, uri: String?, digest: ContentDigest) {
            self.name = name
            self.uri = uri
            self.digest = digest
        }
    }

    /// The statement.
    public let statement: [UInt8]
    /// The version of ami-zoo that converted.
    public let program: String
    /// The files that it read.
    public let sources: [Source]
    /// The options.
    public let parameters: JSONObject
    /// The files that it wrote, by path.
    public let outputs: [String: ContentDigest]

    /// States what a conversion did.
    ///
    /// - Parameters:
    ///   - files: the files that it wrote.
    ///   - sources: the files that it read.
    ///   - parameters: the options.
    ///   - program: the version of ami-zoo.
    /// - Throws: ``ZooError`` with code `format.field-invalid` for names that a statement cannot hold.
    public init(
        of files: [(path: String, digest: ContentDigest)],
        from sources: [Source],
        _ parameters: [String: JSONValue],
        program: String
    ) throws(ZooError) {
        let subjects = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let document: JSONValue = [
            "_type": .string(EvidenceStatement.type),
            "subject": .array(subjects.map { Self.resource($0.path, $0.digest) }),
            "predicateType": .string(Self.predicateType),
            "predicate": [
                "buildDefinition": [
                    "buildType": .string(Self.buildType),
                    "externalParameters": .object(parameters),
                    "resolvedDependencies": .array(
                        sources.map { Self.resource($0.name, $0.digest, uri: $0.uri) }
                    ),
                ],
                "runDetails": [
                    "builder": [
                        "id": .string(Self.builder), "version": ["ami-zoo": .string(program)],
                    ]
                ],
            ],
        ]
        try self.init(statement: document.canonicalBytes)
    }

    private static func resource(
        _ name: String,
        _ digest: ContentDigest,
        uri: String? = nil
    ) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "digest": ["sha256": .string(digest.hex)],
        ]
        if let uri { members["uri"] = .string(uri) }
        return .object(members)
    }

    /// Reads a statement.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, also for a statement of something else.
    public init(statement: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: EvidenceStatement.limit, depth: 16, values: 200_000)
        let object = try JSONObject(try JSONValue(parsing: statement, limits: limits))
        guard try object.string("_type") == EvidenceStatement.type else {
            throw object.invalid("_type", "is not '\(EvidenceStatement.type)'")
        }
        guard try object.string("predicateType") == Self.predicateType else {
            throw object.invalid("predicateType", "is not '\(Self.predicateType)'")
        }
        let predicate = try object.object("predicate")
        let definition = try predicate.object("buildDefinition")
        guard try definition.string("buildType") == Self.buildType else {
            throw definition.invalid("buildType", "is not '\(Self.buildType)'")
        }
        parameters = try definition.object("externalParameters")
        var sources: [Source] = []
        for source in try definition.objects("resolvedDependencies", maximum: 10_000) {
            sources.append(
                Source(
                    name: try source.string("name", maximum: 1024),
                    uri: try source.optionalString("uri", maximum: 2048),
                    digest: try Self.digest(source)
                )
            )
        }
        guard !sources.isEmpty else {
            throw definition.invalid("resolvedDependencies", "must not be empty")
        }
        self.sources = sources
        let builder = try predicate.object("runDetails").object("builder")
        guard try builder.string("id") == Self.builder else {
            throw builder.invalid("id", "is not '\(Self.builder)'")
        }
        program = try builder.object("version").string("ami-zoo", maximum: 64)
        var outputs: [String: ContentDigest] = [:]
        for subject in try object.objects("subject", maximum: FormatLimits.files) {
            let path = try subject.string("name", maximum: 1024)
            guard outputs.updateValue(try Self.digest(subject), forKey: path) == nil else {
                throw subject.invalid("name", "repeats '\(path)'")
            }
        }
        self.outputs = outputs
        self.statement = statement
    }

    private static func digest(_ resource: JSONObject) throws(ZooError) -> ContentDigest {
        let digest = try resource.object("digest")
        guard let value = try? ContentDigest(hex: try digest.string("sha256")) else {
            throw digest.invalid("sha256", "is not 64 lower-case hexadecimal digits")
        }
        return value
    }

    /// The files of a release that the conversion wrote: every file with weights, and others that nobody changed
    /// since.
    ///
    /// - Returns: their paths.
    /// - Throws: ``ZooError`` with code `evidence.other-release` if a file of a component is another one.
    public func files(of record: ReleaseRecord) throws(ZooError) -> [ReleasePath] {
        let covered = record.files.filter { outputs[$0.path.text] == $0.digest }.map(\.path)
        let known = Set(covered)
        for component in record.components {
            for path in component.files where !known.contains(path) {
                throw ZooError(
                    .evidenceOfAnother,
                    "the provenance is not about '\(path)' of \(record.name):\(record.version)",
                    remedy: "convert the upstream file again, and pack what was written"
                )
            }
        }
        return covered
    }
}
