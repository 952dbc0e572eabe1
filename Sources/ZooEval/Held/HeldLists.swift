// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// Lists of samples, as data sets publish them.
extension HeldListing {
    /// Lines of a path and the number of a class, separated by the last space.
    ///
    /// Source: facebookresearch/vjepa2 `src/datasets/video_dataset.py` (`pandas.read_csv`, no header, a space).
    init(
        fileList list: ReleasePath,
        _ folder: ReleasePath?,
        _ documents: HeldDocuments
    ) throws {
        let start = folder.map { "\($0)/" } ?? ""
        var samples: [Item] = []
        let text = try documents.text(list)
        for (index, line) in text.split(
            omittingEmptySubsequences: false,
            whereSeparator: \.isNewline
        )
        .enumerated() where !line.isEmpty {
            let place = "line \(index + 1) of '\(list)'"
            guard let space = line.lastIndex(of: " ") else {
                throw ZooError(
                    .labelMissing,
                    "\(place) has no class after the path '\(line.prefix(200))'",
                    remedy: "write a space and the number of the class, from 0, after each path"
                )
            }
            guard let label = Self.label(line[line.index(after: space)...]) else {
                throw Self.malformed(
                    "\(place) has the class '\(line[line.index(after: space)...].prefix(40))', expected a "
                        + "number from 0"
                )
            }
            guard let path = try? ReleasePath(parsing: String(line[..<space])) else {
                throw Self.malformed(
                    "\(place) names '\(line[..<space].prefix(200))', which is no path below the data"
                )
            }
            samples.append(Item(path: start + path.text, label: label))
        }
        try self.init(listed: samples, .numbered(nil), documents, list)
    }

    /// `labels.json`, and entries with `id` and `template`.
    init(
        somethingSomething list: ReleasePath,
        labels: ReleasePath,
        _ recordings: Recordings,
        _ documents: HeldDocuments
    ) throws {
        let numbers = try documents.object(labels)
        var names: [Int: String] = [:]
        for (name, value) in numbers.members(besides: []) {
            let number: Int? =
                switch value {
                case .integer(let number): number
                case .string(let text): Self.label(text[...])
                default: nil
                }
            guard let number, names.updateValue(name, forKey: number) == nil else {
                throw Self.malformed("'\(name)' in '\(labels)' has no number of its own")
            }
        }
        guard !names.isEmpty, (0..<names.count).allSatisfy({ names[$0] != nil }) else {
            throw Self.malformed(
                "the numbers in '\(labels)' are not those from 0 to \(names.count - 1)"
            )
        }
        let classes = (0..<names.count).map { names[$0] ?? "" }
        let known = Dictionary(
            classes.enumerated().map { (ExactName($1), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let samples = try documents.entries(list).enumerated().map {
            index,
            entry in
            let template = try Self.field(entry, list) { entry throws(ZooError) in
                try entry.string("template", maximum: 1024)
            }
            // Templates mark their places by brackets, and labels do not.
            let name = template.filter { $0 != "[" && $0 != "]" }
            guard let label = known[ExactName(name)] else {
                throw ZooError(
                    .labelMissing,
                    "entry \(index) of '\(list)' has the template '\(template)', which is not in '\(labels)'",
                    remedy: "use the two files of one version of the data set"
                )
            }
            let id = try Self.field(entry, list) { entry throws(ZooError) in
                try entry.string("id", maximum: 256)
            }
            return Item(path: try recordings.path(of: id, list), label: label)
        }
        try self.init(listed: samples, .named(classes), documents, list)
    }

    /// A CSV file with a header; the file of a sample is named after the recording and its seconds.
    ///
    /// The number of a class is its place among the labels, ascending.
    init(
        kinetics list: ReleasePath,
        _ recordings: Recordings,
        _ documents: HeldDocuments
    ) throws {
        var rows = CSVRows(try documents.text(list))
        func next() throws(ZooError) -> [String]? {
            do {
                return try rows.next()
            } catch {
                throw Self.malformed("'\(list)' is no CSV file: \(error.message)")
            }
        }
        let header = try next() ?? []
        func column(_ name: String) throws(ZooError) -> Int {
            guard let column = header.firstIndex(of: name) else {
                throw Self.malformed("'\(list)' has no column '\(name)'")
            }
            return column
        }
        let (label, id) = (try column("label"), try column("youtube_id"))
        let (start, end) = (try column("time_start"), try column("time_end"))
        var found: [(path: String, label: ExactName)] = []
        var number = 1
        while let row = try next() {
            number += 1
            guard row.count == header.count else {
                throw Self.malformed(
                    "row \(number) of '\(list)' has \(row.count) fields, expected \(header.count)"
                )
            }
            guard !row[label].isEmpty else {
                throw ZooError(
                    .labelMissing,
                    "row \(number) of '\(list)' names no class",
                    remedy: "use a list with labels; that of the test split has none"
                )
            }
            guard let from = Self.label(row[start][...]), let to = Self.label(row[end][...]) else {
                throw Self.malformed("row \(number) of '\(list)' has no whole seconds")
            }
            let name = "\(row[id])_\(Self.sixDigits(from))_\(Self.sixDigits(to))"
            found.append((try recordings.path(of: name, list), ExactName(row[label])))
        }
        let classes = Set(found.map(\.label)).sorted()
        let numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        try self.init(
            listed: found.map { Item(path: $0.path, label: numbers[$0.label] ?? 0) },
            .named(classes.map(\.text)),
            documents,
            list
        )
    }

    /// The number of classes of Diving48.
    private static let divingClasses = 48

    /// Entries with `vid_name` and `label`.
    init(
        diving48 list: ReleasePath,
        _ recordings: Recordings,
        _ documents: HeldDocuments
    ) throws {
        let samples = try documents.entries(list).enumerated().map {
            index,
            entry in
            guard entry.value("label") != nil else {
                throw ZooError(
                    .labelMissing,
                    "entry \(index) of '\(list)' has no 'label'",
                    remedy: "use the list that the data set publishes"
                )
            }
            let (id, label) = try Self.field(entry, list) { entry throws(ZooError) in
                (
                    try entry.string("vid_name", maximum: 256),
                    try entry.integer("label", in: 0...Self.divingClasses - 1)
                )
            }
            return Item(path: try recordings.path(of: id, list), label: label)
        }
        try self.init(listed: samples, .numbered(Self.divingClasses), documents, list)
    }

    // MARK: Parts

    /// Checks that a list names samples, each once.
    private init(
        listed samples: [Item],
        _ classes: HeldData.Classes,
        _ documents: HeldDocuments,
        _ list: ReleasePath
    ) throws(ZooError) {
        guard !samples.isEmpty else {
            throw Self.malformed("'\(list)' lists no samples")
        }
        var seen: Set<ExactName> = []
        for sample in samples where !seen.insert(ExactName(sample.path)).inserted {
            throw Self.malformed("'\(list)' lists '\(sample.path)' twice")
        }
        self.init(samples: samples, classes: classes, documents)
    }

    private static func field<Value>(
        _ entry: JSONObject,
        _ path: ReleasePath,
        _ read: (JSONObject) throws(ZooError) -> Value
    ) throws(ZooError) -> Value {
        do {
            return try read(entry)
        } catch {
            throw malformed("'\(path)': \(error.message)")
        }
    }

    /// Whether `status.json` of a movie says that it is possible.
    static func isPossible(
        _ path: String,
        _ documents: HeldDocuments
    ) throws(ZooError) -> Bool {
        let path = try ReleasePath(parsing: path)
        guard let header = try? documents.object(path).object("header"),
            case .bool(let isPossible)? = header.value("is_possible")
        else {
            throw ZooError(
                .labelMissing,
                "'\(path)' of '\(documents.files.path)' does not say whether the movie is possible",
                remedy:
                    "use the scenes with 'header.is_possible' in 'status.json'; those of the test set have none"
            )
        }
        return isPossible
    }

    /// A number of a class, or of seconds: digits only.
    private static func label(_ text: Substring) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...7).contains(text.utf8.count), text.utf8.allSatisfy(digits.contains) else {
            return nil
        }
        return Int(text)
    }

    private static func sixDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The failure of a list that contradicts its format.
    static func malformed(_ what: String) -> ZooError {
        ZooError(
            .listMalformed,
            what,
            remedy: "use the list that the data set publishes, or correct it"
        )
    }
}

/// The recordings below a folder, which lists name without their endings.
struct Recordings: Sendable {
    private let files: any HeldFiles
    private let folder: ReleasePath?
    /// The files of each name; several are an error only for a name that a list has.
    private let paths: [ExactName: [String]]

    /// Lists a folder.
    ///
    /// - Throws: ``ZooError`` with an `evaluation.*`, `io.*` or `archive.*` code; `CancellationError`.
    init(
        _ folder: ReleasePath?,
        in files: any HeldFiles,
        _ cancellation: Cancellation
    ) throws {
        self.files = files
        self.folder = folder
        paths = Dictionary(grouping: try files.paths(below: folder, cancellation)) { path in
            let name = FileSystem.name(of: path)
            return ExactName(name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name)
        }
    }

    /// The file of a recording.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.file-missing` or `evaluation.file-unexpected`.
    func path(of name: String, _ list: ReleasePath) throws(ZooError) -> String {
        let place = "'\(files.path)\(folder.map { "/\($0)" } ?? "")'"
        guard let found = paths[ExactName(name)] else {
            throw ZooError(
                .heldFileMissing,
                "\(place) has no file '\(name)' with any ending, which '\(list)' lists",
                remedy:
                    "get the file, give the folder that holds it, or remove the entry from '\(list)'"
            )
        }
        guard found.count == 1 else {
            throw .fileUnexpected(
                "\(place) has \(found.count) files of the sample '\(name)': '\(found[0])', '\(found[1])'"
            )
        }
        return found[0]
    }
}
