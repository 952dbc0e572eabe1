// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The record of a model release: everything a reader needs before it fetches weights.
///
/// A record is parsed or assembled, never edited. ``canonicalBytes`` is the stored document, unknown
/// fields included, and the manifest contains its digest.
///
/// Document formats `ami-zoo.release/1` and `ami-zoo.release/2`, `registry/SPEC.md` section 4.
public struct ReleaseRecord: Sendable, Equatable {
    private static let formatName = "ami-zoo.release"
    /// The name of the document format that this program writes.
    public static let format = FormatVersion.current.name(formatName)
    /// Required features that this program implements.
    public static let knownFeatures: Set<String> = []

    /// The name of the model.
    public let name: ModelName
    /// The version.
    public let version: SemanticVersion
    /// When the release was created, `YYYY-MM-DDTHH:MM:SSZ`.
    public let created: Timestamp
    /// A one-sentence description.
    public let summary: String
    /// The authors of the model.
    public let authors: [String]
    /// The SPDX licence expression.
    public let licence: String
    /// The URL of the project page.
    public let homepage: String?
    /// The architecture of the model.
    public let architecture: Architecture
    /// The inputs of the model.
    public let inputs: Inputs
    /// The elements of the action vector, in order; empty when the model takes no actions.
    public let actions: [Quantity]
    /// The elements of the proprioception vector, in order; empty when the model takes none.
    public let states: [Quantity]
    /// The components of the model.
    public let components: [Component]
    /// Every file of the model folder.
    public let files: [File]
    /// The origin of the weights.
    public let lineage: Lineage
    /// The reported evaluation results.
    public let evaluation: [EvaluationClaim]
    /// The minimum version of this program that reads the release.
    public let minimumReader: SemanticVersion
    /// The stored form.
    public let canonicalBytes: [UInt8]

    /// Parses a stored record.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `release.*` code.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.record, depth: 16, values: 500_000)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        let format = try object.formatVersion(Self.formatName)
        let compatibility = try object.object("compatibility")
        minimumReader = try compatibility.version("reader")
        try Self.requireFeatures(try object.strings("requires", maximum: 64), minimumReader)
        name = try object.modelName("name")
        version = try object.version("version")
        created = try object.timestamp("created")
        summary = try object.string("summary", maximum: 500)
        authors = try object.strings("authors", maximum: 200)
        licence = try object.string("licence")
        homepage = try object.optionalString("homepage", maximum: 2048)
        architecture = try Architecture(try object.object("architecture"))
        inputs = try Inputs(try object.object("inputs"), format)
        actions = try Self.quantities(object, "actions", format)
        states = try Self.quantities(object, "states", format)
        files = try Self.files(try object.objects("files", maximum: FormatLimits.files))
        components = try Self.components(
            try object.objects("components", maximum: 256),
            files: Set(files.map(\.path)),
            format
        )
        lineage = try Lineage(try object.object("lineage"))
        var claims: [EvaluationClaim] = []
        for claim in try object.objects("evaluation", maximum: 1000) {
            claims.append(try EvaluationClaim(claim, format))
        }
        evaluation = claims
        canonicalBytes = bytes
    }

    private static func quantities(
        _ object: JSONObject,
        _ name: String,
        _ format: FormatVersion
    ) throws(ZooError) -> [Quantity] {
        format == .one || object.value(name) == nil ? [] : try Quantity.array(object, name)
    }

    static func requireFeatures(
        _ features: [String],
        _ reader: SemanticVersion
    ) throws(ZooError) {
        let missing = features.filter { !knownFeatures.contains($0) }
        guard missing.isEmpty else {
            let list = missing.map { "'\($0)'" }.joined(separator: ", ")
            throw ZooError(
                .featureRequired,
                "the release requires features that this program does not support: \(list)",
                remedy: "update ami-zoo to version \(reader) or later"
            )
        }
    }

    /// Checks every file against the layout of its archive.
    static func files(_ objects: [JSONObject]) throws(ZooError) -> [File] {
        var files: [File] = []
        var seen: [String: String] = [:]
        for object in objects {
            let file = try File(object)
            if let other = seen.updateValue(file.path.text, forKey: file.path.collisionKey) {
                throw ZooError(
                    .pathDuplicate,
                    "the paths '\(other)' and '\(file.path)' are the same on some file systems",
                    remedy: "do not use this release; tell its publisher"
                )
            }
            files.append(file)
        }
        try refuseFilesInsideFiles(seen)
        for (archive, members) in Dictionary(grouping: files, by: \.archive) {
            let layout = ArchiveLayout(files: members.map { ($0.path, $0.size) })
            let offsets = Dictionary(
                uniqueKeysWithValues: layout.members.map { ($0.path, $0.contentOffset) }
            )
            for file in members where offsets[file.path] != file.offset {
                throw JSONObject.invalid(
                    "files",
                    "places '\(file.path)' at offset \(file.offset) of archive '\(archive)', "
                        + "expected \(offsets[file.path] ?? -1)"
                )
            }
        }
        return files
    }

    /// Rejects a file whose path is a folder of another file, such as `a` and `a/b`.
    private static func refuseFilesInsideFiles(_ seen: [String: String]) throws(ZooError) {
        for (key, path) in seen {
            var parent = key.utf8[...]
            while let slash = parent.lastIndex(of: UInt8(ascii: "/")) {
                parent = parent[..<slash]
                if let file = seen[String(Substring(parent))] {
                    throw ZooError(
                        .pathDuplicate,
                        "'\(file)' is a file and also a folder of '\(path)'",
                        remedy: "do not use this release; tell its publisher"
                    )
                }
            }
        }
    }

    private static func components(
        _ objects: [JSONObject],
        files: Set<ReleasePath>,
        _ format: FormatVersion
    ) throws(ZooError) -> [Component] {
        var components: [Component] = []
        for object in objects {
            let component = try Component(object, format)
            for path in component.files where !files.contains(path) {
                throw object.invalid("files", "lists '\(path)', which is not a file of the release")
            }
            guard !components.contains(where: { $0.name == component.name }) else {
                throw object.invalid("name", "is used twice")
            }
            components.append(component)
        }
        return components
    }
}

extension JSONObject {
    /// The name of a model or data set.
    package func modelName(_ name: String) throws(ZooError) -> ModelName {
        let text = try string(name)
        do {
            return try ModelName(parsing: text)
        } catch {
            // The category of the original error is `usage`, which is wrong for a document.
            throw invalid(name, "is '\(text)', and must be 'namespace/name' in lower case")
        }
    }

    /// A version.
    package func version(_ name: String) throws(ZooError) -> SemanticVersion {
        let text = try string(name)
        do {
            return try SemanticVersion(parsing: text)
        } catch {
            throw invalid(name, "is '\(text)', and must be a version such as '1.2.0'")
        }
    }

    func timestamp(_ name: String) throws(ZooError) -> Timestamp {
        let text = try string(name)
        guard let time = Timestamp(parsing: text) else {
            throw invalid(name, "is '\(text)', and must be a UTC time like 2026-01-31T12:00:00Z")
        }
        return time
    }
}
