// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The classes of a data set's samples, as a CSV file states them.
///
/// RFC 4180 in UTF-8: a header, then rows of as many fields. The columns `path` and `class` are required;
/// `sample` is the index of a sample in a file that holds several, and other columns are ignored.
/// `registry/SPEC.md` section 11.
public struct LabelTable: Sendable, Equatable {
    /// The maximum size of a table in bytes.
    public static let limit = 64 << 20

    /// The class of one sample, or of every sample of a file.
    public struct Row: Sendable, Equatable {
        /// The file.
        public let path: ReleasePath
        /// The index of the sample in the file, from 0; nil for the whole file.
        public let sample: Int?
        /// The name of the class.
        public let label: String
    }

    /// What identifies the sample of a row.
    private struct Key: Hashable {
        let path: ReleasePath
        let sample: Int?
    }

    /// The rows, in the order of the file.
    public let rows: [Row]

    /// The names of the classes, without duplicates, in the order of their UTF-8 bytes.
    public var classes: [String] { Set(rows.map { ExactName($0.label) }).sorted().map(\.text) }

    /// Parses a table.
    ///
    /// - Throws: ``ZooError`` with code `dataset.labels-invalid`.
    public init(parsing bytes: [UInt8]) throws(ZooError) {
        guard bytes.count <= Self.limit, let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.invalid("the label table is not UTF-8 text of at most \(Self.limit) bytes")
        }
        var lines = CSVRows(text)
        guard let header = try lines.next() else {
            throw Self.invalid("the label table is empty")
        }
        guard Set(header).count == header.count else {
            throw Self.invalid("the label table has two columns of one name")
        }
        guard let path = header.firstIndex(of: "path"), let name = header.firstIndex(of: "class")
        else {
            throw Self.invalid(
                "the first row of the label table is '\(header.joined(separator: ",").prefix(200))', "
                    + "and must name the columns 'path' and 'class'"
            )
        }
        let sample = header.firstIndex(of: "sample")
        var rows: [Row] = []
        var seen: Set<Key> = []
        while let fields = try lines.next() {
            let place = "row \(rows.count + 2) of the label table"
            guard fields.count == header.count else {
                throw Self.invalid("\(place) has \(fields.count) fields, expected \(header.count)")
            }
            let row = Row(
                path: try Self.path(fields[path], place),
                sample: try sample.map { column throws(ZooError) in
                    try Self.index(fields[column], place)
                },
                label: fields[name]
            )
            guard !row.label.isEmpty else { throw Self.invalid("\(place) names no class") }
            guard seen.insert(Key(path: row.path, sample: row.sample)).inserted else {
                throw Self.invalid("\(place) labels '\(row.path)' a second time")
            }
            rows.append(row)
        }
        self.rows = rows
    }

    private static func path(_ text: String, _ place: String) throws(ZooError) -> ReleasePath {
        do {
            return try ReleasePath(parsing: text)
        } catch {
            throw invalid("\(place) names no file: \(error.message)")
        }
    }

    private static func index(_ text: String, _ place: String) throws(ZooError) -> Int {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let index = Int(text), text.utf8.allSatisfy(digits.contains) else {
            throw invalid("\(place) has the sample '\(text)', expected an index from 0")
        }
        return index
    }

    /// A failure of the code `dataset.labels-invalid`.
    static func invalid(_ message: String) -> ZooError {
        ZooError(
            .labelsInvalid,
            message,
            remedy: "correct the labels, or 'labels' in the description of the data set"
        )
    }
}
