// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A data-set record in the making: what its author says, held against what its folder has.
package struct DataSetDraft: Sendable {
    /// The archive of the samples.
    private static let dataArchive = "data"
    /// The files that describe a data set and belong to no split, at the top of its folder.
    package static let documents = ["README.md", "LICENSE", "NOTICE", "CITATION.cff"]

    /// What the author says of the labels.
    enum Labels {
        case folders(classes: Int)
        case table(ReleasePath, classes: Int)
    }

    private let description: JSONObject
    private let splits: [(members: [String: JSONValue], files: [ReleasePath])]
    private let labels: Labels?
    /// Every file of a split.
    private let samples: Set<ReleasePath>

    /// Checks the splits, the class folders and the lineage.
    ///
    /// - Parameters:
    ///   - description: the fields that the author states. A path in `files` of a split that ends in `/`
    ///     stands for every file below that folder, except the label table.
    ///   - paths: every file of the folder but the description.
    /// - Throws: ``ZooError`` with code `pack.split-file-missing`, `pack.split-empty`,
    ///   `pack.file-unassigned`, `dataset.labels-invalid`, `pack.description-invalid` or
    ///   `format.field-invalid`.
    package init(description: JSONObject, paths: [ReleasePath]) throws(ZooError) {
        self.description = description
        labels = try Self.labels(description, Set(paths))
        let table: ReleasePath? = if case .table(let path, _)? = labels { path } else { nil }
        let known = Set(paths)
        var splits: [(members: [String: JSONValue], files: [ReleasePath])] = []
        for object in try description.objects("splits", maximum: 64) {
            splits.append((object.members, try Self.files(of: object, known, besides: table)))
        }
        self.splits = splits
        samples = Set(splits.flatMap(\.files))
        if let stray = paths.first(where: { [samples] path in
            !samples.contains(path) && path != table && !Self.documents.contains(path.text)
        }) {
            throw ZooError(
                .fileUnassigned,
                "'\(stray)' belongs to no split, and is neither the label table nor one of "
                    + Self.documents.joined(separator: ", "),
                remedy: "list it under 'files' of a split, or move it out of the folder"
            )
        }
        if case .folders(let classes)? = labels { try Self.checkFolders(of: samples, classes) }
        try Self.checkLineage(try description.object("lineage"))
    }

    /// The label table; nil when the labels are folders, or there are none.
    package var labelTable: ReleasePath? {
        if case .table(let path, _)? = labels { path } else { nil }
    }

    /// Checks that the rows name files of splits, and as many classes as the author states.
    ///
    /// - Throws: ``ZooError`` with code `dataset.labels-invalid`.
    package func check(_ table: LabelTable) throws(ZooError) {
        guard case .table(let path, let classes)? = labels else { return }
        for (number, row) in table.rows.enumerated() where !samples.contains(row.path) {
            throw LabelTable.invalid(
                "row \(number + 2) of '\(path)' names '\(row.path)', which is not a file of a split"
            )
        }
        let found = table.classes
        guard found.count == classes else {
            throw LabelTable.invalid(
                "'\(path)' names \(found.count) classes, and the description states \(classes)"
            )
        }
    }

    /// The document, which ``DataSetRecord`` may still refuse.
    ///
    /// - Parameter files: every file of the folder but the description.
    /// - Returns: the record, which may still break a rule of its format.
    package func document(_ files: [RecordDraft.File]) -> JSONValue {
        var members = description.members
        // The format of the record says it.
        members["kind"] = nil
        members["format"] = .string(DataSetRecord.format)
        members["requires"] = members["requires"] ?? []
        members["compatibility"] = members["compatibility"] ?? ["reader": "0.1.0"]
        members["splits"] = .array(
            splits.map { split in
                var members = split.members
                members["files"] = .array(split.files.map { .string($0.text) })
                return .object(members)
            }
        )
        members["files"] = RecordDraft.listing(files) {
            samples.contains($0.path) ? Self.dataArchive : RecordDraft.documentsArchive
        }
        return .object(members)
    }
}
