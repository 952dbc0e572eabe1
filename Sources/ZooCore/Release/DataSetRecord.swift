// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a data set is: files, splits and labels.
///
/// Document format `ami-zoo.dataset/1`, `registry/SPEC.md` section 11.
public struct DataSetRecord: Sendable, Equatable {
    /// The name of the document format.
    public static let format = "ami-zoo.dataset/1"

    /// The kinds of data.
    public enum Modality: String, Sendable, CaseIterable {
        /// Single pictures.
        case image
        /// Sequences of frames.
        case video
        /// Sequences of vectors.
        case series
        /// Vectors.
        case vector
    }

    /// A part of the data with a purpose, such as `train` or `test`.
    public struct Split: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// How many samples it has.
        public let count: Int
        /// The files that hold them.
        public let files: [ReleasePath]
    }

    /// Where the class of a sample is written.
    public enum Labels: Sendable, Equatable {
        /// The folder of a file names its class.
        case folders(classes: Int)
        /// A table of files and classes.
        case csv(ReleasePath, classes: Int)
    }

    /// The data set.
    public let name: ModelName
    /// The version.
    public let version: SemanticVersion
    /// When the release was made.
    public let created: Timestamp
    /// One sentence.
    public let summary: String
    /// Who made it.
    public let authors: [String]
    /// An SPDX licence expression.
    public let licence: String
    /// Where to read more.
    public let homepage: String?
    /// The kind of data.
    public let modality: Modality
    /// The parts.
    public let splits: [Split]
    /// Where classes are written; nil for data without labels.
    public let labels: Labels?
    /// Every file.
    public let files: [ReleaseRecord.File]
    /// Where the data comes from.
    public let lineage: Lineage
    /// The lowest version of this program that reads the data set.
    public let minimumReader: SemanticVersion
    /// The stored form.
    public let canonicalBytes: [UInt8]

    /// Where data comes from.
    public struct Lineage: Sendable, Equatable {
        /// How the data came about.
        public enum Kind: String, Sendable, CaseIterable {
            /// Made by a program.
            case generated
            /// Recorded from the world.
            case collected
            /// Taken from another data set.
            case converted
        }

        /// How the data came about.
        public let kind: Kind
        /// The whole of what the record says, for display.
        public let details: [String: JSONValue]
    }

    /// Reads a stored record.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `release.*` code.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.record, depth: 16, values: 500_000)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        minimumReader = try object.object("compatibility").version("reader")
        try ReleaseRecord.requireFeatures(
            try object.strings("requires", maximum: 64),
            minimumReader
        )
        name = try object.modelName("name")
        version = try object.version("version")
        created = try object.timestamp("created")
        summary = try object.string("summary", maximum: 500)
        authors = try object.strings("authors", maximum: 200)
        licence = try object.string("licence")
        homepage = try object.optionalString("homepage", maximum: 2048)
        modality = try object.choice("modality", of: Modality.self)
        files = try ReleaseRecord.files(try object.objects("files", maximum: FormatLimits.files))
        let paths = Set(files.map(\.path))
        splits = try Self.splits(object, paths)
        labels = try Self.labels(try object.optionalObject("labels"), paths)
        let origin = try object.object("lineage")
        lineage = Lineage(
            kind: try origin.choice("kind", of: Lineage.Kind.self),
            details: origin.members
        )
        canonicalBytes = bytes
    }

    private static func splits(
        _ object: JSONObject,
        _ listed: Set<ReleasePath>
    ) throws(ZooError) -> [Split] {
        var splits: [Split] = []
        for item in try object.objects("splits", maximum: 64) {
            let name = try item.string("name", maximum: 64)
            guard ModelName.isWord(name) else { throw item.invalid("name", "is not a word") }
            guard !splits.contains(where: { $0.name == name }) else {
                throw item.invalid("name", "is used twice")
            }
            var files: [ReleasePath] = []
            for text in try item.strings("files", maximum: FormatLimits.files, each: 1024) {
                files.append(try Self.path(text, "files", of: item, listed))
            }
            splits.append(
                Split(
                    name: name,
                    count: try item.integer("count", in: 0...JSONValue.largestInteger),
                    files: files
                )
            )
        }
        guard !splits.isEmpty else { throw object.invalid("splits", "must not be empty") }
        return splits
    }

    private static func path(
        _ text: String,
        _ name: String,
        of object: JSONObject,
        _ listed: Set<ReleasePath>
    ) throws(ZooError) -> ReleasePath {
        let path = try ReleasePath(parsing: text)
        guard listed.contains(path) else {
            throw object.invalid(name, "names '\(path)', which the data set does not have")
        }
        return path
    }

    private static func labels(
        _ object: JSONObject?,
        _ listed: Set<ReleasePath>
    ) throws(ZooError) -> Labels? {
        guard let object else { return nil }
        let classes = try object.integer("classes", in: 1...1_000_000)
        switch try object.string("kind") {
        case "folders": return .folders(classes: classes)
        case "csv":
            let text = try object.string("path", maximum: 1024)
            return .csv(try path(text, "path", of: object, listed), classes: classes)
        case let kind: throw object.invalid("kind", "is '\(kind)', not 'folders' or 'csv'")
        }
    }
}
