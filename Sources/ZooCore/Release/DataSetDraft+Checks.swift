// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension DataSetDraft {
    // MARK: Splits

    /// The files of a split, sorted.
    ///
    /// - Throws: ``ZooError`` with code `pack.split-file-missing`, `pack.split-empty`,
    ///   `release.path-unsafe` or `format.field-invalid`.
    static func files(
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

    /// Reads what the author says of the labels.
    ///
    /// - Throws: ``ZooError`` with code `dataset.labels-invalid` when there is no such table, or
    ///   `format.field-invalid`.
    static func labels(
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
    ///
    /// - Throws: ``ZooError`` with code `dataset.labels-invalid`.
    static func checkFolders(
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

    /// Checks that generated data can be generated again.
    ///
    /// - Throws: ``ZooError`` with code `pack.description-invalid` or `format.field-invalid`.
    static func checkLineage(_ lineage: JSONObject) throws(ZooError) {
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
