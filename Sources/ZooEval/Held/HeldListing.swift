// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The files and labels of a split, before its files are read.
struct HeldListing: Sendable {
    /// A file with a class.
    struct Item: Sendable {
        /// The file, relative to what the user gave.
        let path: String
        /// The number of the class.
        let label: Int
    }

    /// What a split consists of.
    enum Content: Sendable {
        /// Samples with classes, in the order of the layout.
        case labelled([Item], HeldData.Classes)
        /// Scenes of four movies.
        case scenes([HeldScene])
    }

    /// The samples.
    let content: Content
    /// The digests of the files that say which samples there are, as they were read.
    let documents: FileDigests

    /// The number of samples; a scene has two pairs of movies.
    var count: Int {
        switch content {
        case .labelled(let items, _): items.count
        case .scenes(let scenes): 2 * scenes.count
        }
    }

    /// The files of the samples.
    var files: [String] {
        switch content {
        case .labelled(let items, _): items.map(\.path)
        case .scenes(let scenes): scenes.flatMap { $0.movies.flatMap(\.frames) }
        }
    }

    /// Reads a layout.
    ///
    /// - Throws: ``ZooError`` with an `evaluation.*`, `io.*` or `archive.*` code; `CancellationError`.
    init(
        _ layout: HeldLayout,
        in files: any HeldFiles,
        _ cancellation: Cancellation
    ) throws {
        let documents = HeldDocuments(files)
        switch layout {
        case .files(let paths):
            self.init(
                samples: paths.map { Item(path: $0.text, label: 0) },
                classes: .none,
                documents
            )
        case .intPhys(let folder, let clip):
            try self.init(scenes: folder, clip, documents, cancellation)
        case .classFolders(let folder):
            try self.init(classFolders: folder, documents, cancellation)
        case .fileList(let list, let folder):
            try self.init(fileList: list, folder, documents)
        case .somethingSomething(let labels, let list, let folder):
            try self.init(
                somethingSomething: list,
                labels: labels,
                try Recordings(folder, in: files, cancellation),
                documents
            )
        case .kinetics(let list, let folder):
            try self.init(
                kinetics: list,
                try Recordings(folder, in: files, cancellation),
                documents
            )
        case .diving48(let list, let folder):
            try self.init(
                diving48: list,
                try Recordings(folder, in: files, cancellation),
                documents
            )
        }
    }

    /// Creates a listing from the documents that were read for it.
    init(content: Content, _ documents: HeldDocuments) {
        self.content = content
        self.documents = documents.digests
    }

    /// Creates a listing of samples with classes.
    init(samples: [Item], classes: HeldData.Classes, _ documents: HeldDocuments) {
        self.init(content: .labelled(samples, classes), documents)
    }

    /// The failure of a file that a list names.
    static func missing(_ path: String, in files: any HeldFiles) -> ZooError {
        ZooError(
            .heldFileMissing,
            "'\(files.path)' has no file '\(path)'",
            remedy: "complete the data, or give the folder that holds them"
        )
    }
}

// MARK: - Class folders

extension HeldListing {
    /// Endings of the names of images and videos.
    private static let endings: Set<String> = [
        "jpg", "jpeg", "png", "webp", "mp4", "webm", "mkv", "avi", "mov",
    ]

    /// Folders whose names are classes, in the order of `torchvision.datasets.ImageFolder`.
    fileprivate init(
        classFolders folder: ReleasePath?,
        _ documents: HeldDocuments,
        _ cancellation: Cancellation
    ) throws {
        let files = documents.files
        let start = folder.map { "\($0)/" } ?? ""
        var members: [ExactName: [String]] = [:]
        for path in try files.paths(below: folder, cancellation) {
            let rest = Substring(path.utf8.dropFirst(start.utf8.count))
            guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else {
                throw ZooError.fileUnexpected(
                    "'\(path)' of '\(files.path)' lies beside the class folders, and has no class",
                    remedy: "move it into the folder of its class, or remove it"
                )
            }
            let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
            guard Self.endings.contains(ending) else {
                throw ZooError.fileUnexpected(
                    "'\(path)' of '\(files.path)' has the name of neither an image nor a video"
                )
            }
            members[ExactName(String(rest[..<slash])), default: []].append(path)
        }
        let empty = try files.folders(in: folder).filter { members[ExactName($0)] == nil }
        if let name = empty.min() {
            throw ZooError(
                .classEmpty,
                "the class folder '\(start)\(name)' of '\(files.path)' has no samples",
                remedy: "complete the data, or remove the empty folder"
            )
        }
        guard !members.isEmpty else {
            throw ZooError(
                .heldFileMissing,
                "'\(files.path)/\(start)' has no class folders",
                remedy: "give the folder that holds '\(folder?.text ?? "a folder for each class")'"
            )
        }
        let classes = members.keys.sorted()
        self.init(
            samples: classes.enumerated().flatMap { label, name in
                (members[name] ?? []).map { FolderOrder($0) }.sorted()
                    .map { Item(path: $0.path, label: label) }
            },
            classes: .named(classes.map(\.text)),
            documents
        )
    }
}

/// The order of `sorted(os.walk(folder))`: by the folder, then by the name.
private struct FolderOrder: Comparable {
    let path: String
    private let folder: ExactName

    init(_ path: String) {
        self.path = path
        folder = ExactName(FileSystem.parent(of: path))
    }

    static func == (left: Self, right: Self) -> Bool { left.path.isExactly(right.path) }

    static func < (left: Self, right: Self) -> Bool {
        left.folder == right.folder
            ? ExactName(left.path) < ExactName(right.path) : left.folder < right.folder
    }
}
