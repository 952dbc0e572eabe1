// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooClient
package import ZooCore
package import ZooFiles

extension PackRequest {
    /// Reads the folder of a model or data set, and its description.
    ///
    /// Blocking: hashes the weights.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - description: the file of the description; nil for the one in the folder.
    ///   - compression: the encoding of the archives.
    ///   - cancellation: stops between tensors.
    /// - Throws: ``ZooError`` with code `pack.description-invalid`, or a `checkpoint.*`, `format.*` or `io.*`
    ///   code; `CancellationError`.
    package init(
        folder: String,
        description: String?,
        compression: ArchiveEncoding,
        _ cancellation: Cancellation
    ) throws {
        let source = FileSystem.absolute(folder)
        let path = try description ?? Self.description(in: source)
        let document = try ModelDescription.parse(
            try FileSystem.document(path, limit: ModelDescription.limit),
            path: path
        )
        let kind = try Self.kind(document, path)
        let weights = try ModelWeights(folder: source, cancellation)
        var facts: [String: RecordDraft.ComponentFacts] = [:]
        for component in kind == .dataset ? [] : try document.objects("components", maximum: 256) {
            let name = try component.string("name")
            let prefix =
                component.value("prefix") == nil ? "" : try component.string("prefix")
            facts[name] = try weights.facts(
                ofFiles: try component.strings("files", maximum: FormatLimits.files, each: 1024),
                prefix: prefix,
                cancellation
            )
        }
        self.init(
            kind: kind,
            source: source,
            descriptionName: Self.path(of: path, in: source),
            description: document,
            tensorStarts: weights.tensorStarts,
            components: facts,
            encoding: compression
        )
    }

    /// The path of the description file in a folder.
    private static func description(in folder: String) throws(ZooError) -> String {
        let candidates = descriptionNames.map { "\(folder)/\($0)" }
        for path in candidates where try FileSystem.status(path) != nil { return path }
        return candidates[0]
    }

    /// The path of a file relative to a folder; nil when it lies elsewhere.
    private static func path(of file: String, in folder: String) -> String? {
        let (file, start) = (FileSystem.realPath(file), FileSystem.realPath(folder) + "/")
        guard file.beginsExactly(with: start) else { return nil }
        return String(decoding: file.utf8.dropFirst(start.utf8.count), as: UTF8.self)
    }

    /// The kind of release that a description describes; a model where it does not say.
    private static func kind(
        _ document: JSONObject,
        _ path: String
    ) throws(ZooError) -> ArtifactKind {
        if document.value("kind") != nil {
            return try document.choice("kind", of: ArtifactKind.self)
        }
        guard FileSystem.name(of: path) != dataSetDescription else {
            throw ZooError(
                .descriptionInvalid,
                "'\(path)' does not state its kind",
                remedy: "add the line 'kind: dataset'"
            )
        }
        return .model
    }
}
