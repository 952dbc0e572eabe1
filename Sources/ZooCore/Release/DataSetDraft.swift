// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A data-set record in the making: what its author says, held against what its folder has.
package struct DataSetDraft: Sendable {
    /// The archive of the samples.
    private static let dataArchive = "data"
    /// The files that describe a data set and belong to no split, at the top of its folder.
    package static let documents = ["README.md", "LICENSE", "NOTICE", "CITATION.cff"]

    /// What the author says of the labels.
    private enum Labels {
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

    // MARK: Splits

    /// The files of a split, sorted.
    private static func files(
        of split: JSONObject,
        _ paths: Set<ReleasePath>,
        besides table: ReleasePath?
    ) throws(ZooError) -> [ReleasePath] {
        let name = try split.string("name", maximum: 64)
        var files: Set<ReleasePath> = []
        for text in try split.strings("files", maximum: FormatLimits.files, each: 1024) {
            let isFolder = text.utf8.last == UInt8(ascii: "/")
            let found =
                isFolder
                ? paths.filter { $0.text.beginsExactly(with: text) && $0 != table }
                : paths.intersection([try ReleasePath(parsing: text)])
            guard !found.isEmpty else {
                throw ZooError(
                    .splitFileMissing,
                    "the split '\(name)' lists '\(text)', and the folder has no such file",
                    remedy: "correct 'files' of the split; a folder is written with '/' at its end"
                )
            }
            if let twice = files.intersection(found).min() {
                throw split.invalid("files", "lists '\(twice)' twice")
            }
            files.formUnion(found)
        }
        guard !files.isEmpty, try split.integer("count", in: 0...JSONValue.largestInteger) > 0
        else {
            throw ZooError(
                .splitEmpty,
                "the split '\(name)' has \(files.isEmpty ? "no files" : "the count 0")",
                remedy: "list its files and the number of its samples, or leave the split out"
            )
        }
        return files.sorted()
    }

    // MARK: Labels

    private static func labels(
        _ description: JSONObject,
        _ paths: Set<ReleasePath>
    ) throws(ZooError) -> Labels? {
        guard let object = try description.optionalObject("labels") else { return nil }
        let classes = try object.integer("classes", in: 1...1_000_000)
        switch try object.string("kind") {
        case "folders": return .folders(classes: classes)
        case "csv":
            let path = try ReleasePath(parsing: try object.string("path", maximum: 1024))
            guard paths.contains(path) else {
                throw LabelTable.invalid("the folder has no label table '\(path)'")
            }
            return .table(path, classes: classes)
        case let kind: throw object.invalid("kind", "is '\(kind)', not 'folders' or 'csv'")
        }
    }

    /// Checks that each file lies in the folder of a class, and that there are `classes` of them.
    private static func checkFolders(
        of samples: Set<ReleasePath>,
        _ classes: Int
    ) throws(ZooError) {
        var folders: Set<ExactName> = []
        for path in samples.sorted() {
            guard let folder = path.components.dropLast().last else {
                throw LabelTable.invalid("'\(path)' lies in no folder that could name its class")
            }
            folders.insert(ExactName(folder))
        }
        guard folders.count == classes else {
            let names = folders.sorted().prefix(10).map { "'\($0)'" }.joined(separator: ", ")
            throw LabelTable.invalid(
                "the files lie in \(folders.count) class folders (\(names)"
                    + "\(folders.count > 10 ? ", …" : "")), and the description states \(classes)"
            )
        }
    }

    // MARK: Lineage

    private static func checkLineage(_ lineage: JSONObject) throws(ZooError) {
        guard try lineage.choice("kind", of: DataSetRecord.Lineage.Kind.self) == .generated else {
            return
        }
        guard case .string(let generator)? = lineage.value("generator"), !generator.isEmpty else {
            throw incomplete("'generator', the program that made the data")
        }
        switch lineage.value("seed") {
        case .integer, .string: return
        // A number beyond 2^53 is not the same for every reader.
        default: throw incomplete("'seed', an integer up to 2^53 - 1, or a text in quotes")
        }
    }

    private static func incomplete(_ what: String) -> ZooError {
        ZooError(
            .descriptionInvalid,
            "the lineage of generated data must state \(what)",
            remedy: "add it under 'lineage' in the description"
        )
    }
}
