// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCheckpoint
package import ZooCore
package import ZooFiles

/// The files that a conversion reads.
///
/// They are the checkpoint, the backbone of a probe, and the `config.json` of a file in the layout
/// of transformers.
package struct ConversionSource: Sendable {
    /// The tensors of each file.
    package let tensors: [ConversionPlan.Source: UpstreamTensors]
    /// `config.json`, if it is in the folder of the checkpoint.
    package let configuration: JSONObject?
    /// Every file that was opened, in the order of opening.
    package let inputs: [MappedFile]

    /// Opens the files.
    ///
    /// - Parameters:
    ///   - path: the checkpoint, or a folder that transformers wrote.
    ///   - backbone: the checkpoint that a probe was trained on.
    /// - Throws: ``ZooError`` with a `checkpoint.*`, `json.*` or `io.*` code.
    package init(_ path: String, backbone: String?) throws(ZooError) {
        try self.init(FilePlace(path), backbone: backbone.map { FilePlace($0) })
    }

    /// Opens the files, which may be members of archives.
    ///
    /// - Throws: ``ZooError`` as ``init(_:backbone:)``.
    package init(_ main: FilePlace, backbone: FilePlace?) throws(ZooError) {
        let opened = OpenedFiles()
        let main = FilePlace(main.path, in: NotedFiles(main.files, opened))
        var tensors: [ConversionPlan.Source: UpstreamTensors] = [:]
        tensors[.main] = try Self.tensors(main)
        if let backbone {
            tensors[.backbone] = try Self.tensors(
                FilePlace(backbone.path, in: NotedFiles(backbone.files, opened))
            )
        }
        self.tensors = tensors
        let isFolder = try main.files.kind(main.path) == .folder
        let folder = isFolder ? main.path : FileSystem.parent(of: main.path)
        let format = tensors[.main]?.checkpoint.format
        let isSafetensors = format == .safetensors || format == .shardedSafetensors
        let file = "\(folder)/config.json"
        // Next to a pickle of other tensors, config.json can be an unrelated file.
        let isNeeded =
            isSafetensors || tensors[.main].flatMap(ConvertibleFamily.released.recognise) != nil
        guard isNeeded, try main.files.kind(file) != nil else {
            configuration = nil
            inputs = opened.files
            return
        }
        let bytes = try main.files.document(file, limit: 1 << 20)
        configuration = try JSONObject(try JSONValue(parsing: bytes))
        inputs = opened.files
    }

    private static func tensors(_ place: FilePlace) throws(ZooError) -> UpstreamTensors {
        try UpstreamTensors(try Checkpoint(opening: place.path, in: place.files))
    }

    /// Plans the conversion of the files.
    ///
    /// - Throws: ``ZooError`` with a `convert.*` code.
    package func plan(_ options: ConversionOptions) throws(ZooError) -> ConversionPlan {
        try ConvertibleFamily.plan(tensors, configuration: configuration, options: options)
    }
}

/// The files that were opened, each path once.
private final class OpenedFiles: Sendable {
    private let list = Mutex<[MappedFile]>([])

    func add(_ file: MappedFile) {
        list.withLock { list in
            if !list.contains(where: { $0.path.isExactly(file.path) }) { list.append(file) }
        }
    }

    var files: [MappedFile] { list.withLock(\.self) }
}

/// Files that are noted when they are opened, so that provenance states exactly what was read.
private struct NotedFiles: FileTree {
    private let files: any FileTree
    private let opened: OpenedFiles

    init(_ files: any FileTree, _ opened: OpenedFiles) {
        self.files = files
        self.opened = opened
    }

    func kind(_ path: String) throws(ZooError) -> FileStatus.Kind? { try files.kind(path) }

    func open(_ path: String) throws(ZooError) -> MappedFile {
        let file = try files.open(path)
        opened.add(file)
        return file
    }
}
