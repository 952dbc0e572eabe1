// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore

/// What a conversion states about the files of a release, as far as they are those of the release.
struct ReleaseProvenance: Sendable {
    let statement: ConversionProvenance
    private let files: [ReleasePath]
    private let all: Int

    /// The newest attached statement about the weights of a model; nil if there is none.
    init?(_ attachments: [ReleaseAttachment], of record: any ArchivedRecord) {
        guard let model = record as? ReleaseRecord else { return nil }
        for statement in attachments.lazy.compactMap(\.provenance) {
            guard let files = try? statement.files(of: model) else { continue }
            self.statement = statement
            self.files = files
            all = model.files.count
            return
        }
        return nil
    }

    var text: String {
        let sources = statement.sources.prefix(3).map { "'\($0.name)' \($0.digest)" }
        let rest = statement.sources.count - sources.count
        return "\(files.count) of \(all) files converted by ami-zoo \(statement.program) from "
            + sources.joined(separator: ", ") + (rest > 0 ? " and \(rest) others" : "")
            + " (not signed)"
    }

    /// The field `provenance` of `show` and `verify`.
    var json: JSONValue {
        [
            "buildType": .string(ConversionProvenance.buildType),
            "program": .string(statement.program),
            "parameters": .object(statement.parameters.members),
            "sources": .array(
                statement.sources.map { source in
                    [
                        "name": .string(source.name),
                        "uri": source.uri.map { .string($0) } ?? .null,
                        "digest": .string(source.digest.description),
                    ]
                }
            ),
            "files": .array(files.map { .string($0.text) }), "signed": false,
        ]
    }
}
