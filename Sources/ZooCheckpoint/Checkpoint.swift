// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
package import ZooFiles
public import ZooTensor

/// The named tensors of a checkpoint, independent of its file format.
///
/// Nothing in the files is executed. Elements are read from disk on first use.
public struct Checkpoint: Sendable {
    /// How a checkpoint is stored.
    public enum Format: String, Sendable {
        /// One safetensors file.
        case safetensors
        /// Several safetensors files with an index.
        case shardedSafetensors = "safetensors-sharded"
        /// The format of `torch.save` since PyTorch 1.6.
        case torchZip = "torch-zip"
        /// The format of `torch.save` before PyTorch 1.6.
        case torchLegacy = "torch-legacy"
        /// One array, as `numpy.save` writes it.
        case numPy = "npy"
        /// Several arrays, as `numpy.savez` writes them.
        case numPyZip = "npz"
    }

    /// The format of the files.
    public let format: Format
    /// The path that was opened.
    public let path: String
    /// The free-form metadata of all shards.
    ///
    /// For a PyTorch file, the numbers and strings in the outermost dictionary.
    public let metadata: [String: String]
    /// The tensors, ordered by the UTF-8 bytes of their names.
    public let tensors: [TensorDescription]
    /// The keys of the outermost dictionary of a PyTorch file, or else the first parts of the
    /// tensor names, up to a dot.
    public let topLevelKeys: [String]
    private let views: [String: TensorView]
    /// The ZIP directory with the checksums; nil for other formats.
    private let directory: ZipDirectory?

    /// Opens a checkpoint, and detects its format from the content and not from the name.
    ///
    /// - Parameter path: a safetensors file, a `.safetensors.index.json` file, a file that
    ///   `torch.save`, `numpy.save` or `numpy.savez` wrote, or a model folder that contains
    ///   `model.safetensors`, `model.safetensors.index.json` or, as transformers wrote it before
    ///   safetensors, `pytorch_model.bin`.
    /// - Throws: ``ZooError`` with a `checkpoint.*` or `io.*` code.
    public init(opening path: String) throws(ZooError) {
        try self.init(opening: path, in: LocalFiles())
    }

    /// Opens a checkpoint among given files, such as the members of an archive.
    ///
    /// - Parameters:
    ///   - path: as for ``init(opening:)``.
    ///   - files: the files.
    /// - Throws: ``ZooError`` with a `checkpoint.*` or `io.*` code, or a code of the files.
    package init(opening path: String, in files: any FileTree) throws(ZooError) {
        let single = "\(path)/model.safetensors"
        let index = "\(single).index.json"
        let pickle = "\(path)/pytorch_model.bin"
        if try files.kind(path) == .folder {
            if try files.kind(single) != nil {
                try self.init(file: files.open(single), openedAs: path)
            } else if try files.kind(index) != nil {
                try self.init(index: index, in: files, openedAs: path)
            } else if try files.kind(pickle) != nil {
                try self.init(file: files.open(pickle), openedAs: path)
            } else {
                throw ZooError(
                    .checkpointMissing,
                    "the folder '\(path)' holds neither 'model.safetensors', an index of shards nor "
                        + "'pytorch_model.bin'",
                    remedy: "name the file of the checkpoint"
                )
            }
        } else if path.hasSuffix(".index.json") {
            try self.init(index: path, in: files, openedAs: path)
        } else {
            try self.init(file: files.open(path), openedAs: path)
        }
    }

    /// The tensor with a name, or nil.
    ///
    /// The elements are copied if the file does not store them in row-major little-endian order.
    public subscript(name: String) -> StoredTensor? { view(name)?.stored }

    /// Checks that the files did not change since they were opened and that they could be read.
    ///
    /// Without this check, unreadable pages of mapped elements read as zeros.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated`, `io.changed` or `io.failed`.
    public func requireIntact() throws(ZooError) {
        var seen: Set<ObjectIdentifier> = []
        for view in views.values where seen.insert(ObjectIdentifier(view.file)).inserted {
            try view.file.requireIntact()
        }
    }

    /// The tensor with a name as its file stores it, or nil.
    package func view(_ name: String) -> TensorView? { views.value(ofExactly: name) }

    /// Groups of names that share the same elements (tied weights), each group in order.
    public var ties: [[String]] {
        Dictionary(grouping: tensors.filter { $0.byteCount > 0 }) { views[$0.name]?.identity }
            .values.filter { $0.count > 1 }.map { $0.map(\.name) }
            .sorted { $0[0].utf8.lexicographicallyPrecedes($1[0].utf8) }
    }

    /// Checks the elements of some tensors against the checksums of the file, if it has any.
    ///
    /// - Parameters:
    ///   - names: the tensors; nil for all.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum` or `io.*`, or `CancellationError`.
    package func requireChecksums(
        of names: [String]? = nil,
        _ cancellation: Cancellation
    ) throws {
        guard let directory else { return }
        let firstBytes = (names ?? tensors.map(\.name)).compactMap { views[$0]?.firstByte }
        let wanted = Set(firstBytes).sorted()
        var next = wanted.startIndex
        for record in directory.records {
            while next < wanted.endIndex, wanted[next] < record.content.lowerBound { next += 1 }
            guard next < wanted.endIndex, record.content.contains(wanted[next]) else { continue }
            try directory.requireChecksum(of: record, cancellation)
        }
    }

    private init(file: MappedFile, openedAs openedPath: String) throws(ZooError) {
        let start = try file.bytes(0..<min(file.byteCount, ForeignContent.prefix))
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05]) {
            try self.init(zip: file, openedAs: openedPath)
        } else if let first = TorchFile.legacyStart(start) {
            let torch = try TorchFile(legacy: file, from: first)
            self.init(.torchLegacy, openedPath, torch, directory: nil)
        } else if start.starts(with: NumPyArray.magic) {
            let name = "array"
            let array = try NumPyArray.view(0..<file.byteCount, of: file, name: name)
            self.init(format: .numPy, path: openedPath, views: ["array": array])
        } else {
            try Self.refuseOtherFormats(start, file)
            let resembles = start.count > 8 && start[8] == UInt8(ascii: "{")
            guard resembles || file.path.hasSuffix(".safetensors") else {
                try ForeignContent.refuse(start, file.path)
                try ForeignContent.refuseBlank(start, file.path)
                throw ZooError(
                    .checkpointFormatUnknown,
                    "'\(file.path)' is not a safetensors, PyTorch or NumPy file",
                    remedy: "check that the file is complete and was not compressed"
                )
            }
            let shard = try SafetensorsFile(file)
            self.init(format: .safetensors, path: openedPath, shards: [shard])
        }
    }

    private init(zip file: MappedFile, openedAs path: String) throws(ZooError) {
        let directory = try ZipDirectory(file)
        guard !directory.records.isEmpty, !TorchFile.claims(directory),
            directory.records.allSatisfy({ $0.name.hasSuffix(".npy") })
        else {
            let torch = try TorchFile(directory, in: file)
            self.init(.torchZip, path, torch, directory: directory)
            return
        }
        var views: [String: TensorView] = [:]
        for record in directory.records {
            let name = String(record.name.dropLast(4))
            views[name] = try NumPyArray.view(record.content, of: file, name: name)
        }
        self.init(format: .numPyZip, path: path, views: views, directory: directory)
    }

    /// Throws a specific error for a recognised format that is not supported.
    private static func refuseOtherFormats(
        _ start: [UInt8],
        _ file: MappedFile
    ) throws(ZooError) {
        if start.count >= 262, Array(start[257..<262]) == Array("ustar".utf8) {
            throw ZooError(
                .torchTar,
                "'\(file.path)' is a tar file; PyTorch wrote checkpoints that way until 2017",
                remedy: "load it with PyTorch and save it again with torch.save"
            )
        }
        if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) {
            let bytes = try file.bytes(0..<min(file.byteCount, PickleLimits.bytes))
            let pickle = try PickleMachine.read(bytes, source: file.path)
            throw ZooError(
                .checkpointFormatUnknown,
                "'\(file.path)' is a bare pickle of \(pickle.end) bytes, without tensors",
                remedy: "save the weights with torch.save or as safetensors"
            )
        }
    }

    private init(
        _ format: Format,
        _ path: String,
        _ torch: TorchFile,
        directory: ZipDirectory?
    ) {
        self.init(
            format: format,
            path: path,
            views: Dictionary(torch.tensors, uniquingKeysWith: { first, _ in first }),
            metadata: torch.notes,
            topLevelKeys: torch.topLevelKeys,
            directory: directory
        )
    }

    private init(
        index indexPath: String,
        in files: any FileTree,
        openedAs path: String
    ) throws(ZooError) {
        let index = try ShardIndex(
            parsing: files.document(indexPath, limit: ShardIndex.limit),
            source: indexPath
        )
        let folder = FileSystem.parent(of: indexPath)
        var shards: [SafetensorsFile] = []
        for name in index.files {
            let shard = try SafetensorsFile(files.open("\(folder)/\(name)"))
            let found = Set(shard.header.entries.map { ExactName($0.description.name) })
            let listed = Set(
                index.fileOfTensor.filter { $0.value.isExactly(name) }.keys.map(ExactName.init)
            )
            // Also catches a tensor in two files, because the index lists it for one of them only.
            if let stray = found.symmetricDifference(listed).min() {
                throw ZooError(
                    .shardIndexMismatch,
                    found.contains(stray)
                        ? "'\(name)' holds tensor '\(stray)', which the index does not list there"
                        : "the index lists tensor '\(stray)' for '\(name)', which does not hold it"
                )
            }
            shards.append(shard)
        }
        self.init(format: .shardedSafetensors, path: path, shards: shards)
    }

    private init(format: Format, path: String, shards: [SafetensorsFile]) {
        var views: [String: TensorView] = [:]
        var metadata: [String: String] = [:]
        for shard in shards {
            metadata.merge(shard.header.metadata) { first, _ in first }
            for entry in shard.header.entries {
                views[entry.description.name] = shard.view(entry)
            }
        }
        self.init(format: format, path: path, views: views, metadata: metadata)
    }

    private init(
        format: Format,
        path: String,
        views: [String: TensorView],
        metadata: [String: String] = [:],
        topLevelKeys: [String]? = nil,
        directory: ZipDirectory? = nil
    ) {
        self.format = format
        self.path = path
        self.metadata = metadata
        self.views = views
        self.directory = directory
        tensors = views.map { name, view in
            TensorDescription(
                name: name,
                dtype: view.dtype,
                shape: view.shape,
                byteCount: view.byteCount
            )
        }
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.topLevelKeys =
            topLevelKeys
            ?? Set(views.keys.map { String($0.prefix { $0 != "." }) }).sorted()
    }
}
