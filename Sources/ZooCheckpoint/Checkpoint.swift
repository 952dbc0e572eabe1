// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles
public import ZooTensor

/// The named tensors of a checkpoint, whatever files they are stored in.
///
/// Nothing in the files is executed, and elements are read from the disk when they are used.
public struct Checkpoint: Sendable {
    /// How a checkpoint is stored.
    public enum Format: String, Sendable {
        /// One safetensors file.
        case safetensors
        /// Several safetensors files with an index.
        case shardedSafetensors = "safetensors-sharded"
    }

    /// How it is stored.
    public let format: Format
    /// The path it was opened under.
    public let path: String
    /// The free-form metadata; of all shards together.
    public let metadata: [String: String]
    /// What tensors there are, ordered by the UTF-8 bytes of their names.
    public let tensors: [TensorDescription]
    private let storedTensors: [String: StoredTensor]

    /// Opens a checkpoint.
    ///
    /// - Parameter path: a `.safetensors` file, a `.safetensors.index.json` file, or a model
    ///   folder, in which `model.safetensors.index.json` or `model.safetensors` is looked for.
    /// - Throws: ``ZooError`` with a `checkpoint.*` or `io.*` code.
    public init(opening path: String) throws(ZooError) {
        let single = "\(path)/model.safetensors"
        let index = "\(single).index.json"
        if try Self.isFolder(path) {
            if try Self.exists(single) {
                try self.init(file: single, openedAs: path)
            } else if try Self.exists(index) {
                try self.init(index: index, openedAs: path)
            } else {
                throw ZooError(
                    .checkpointMissing,
                    "the folder '\(path)' holds neither 'model.safetensors' nor an index of shards",
                    remedy: "convert other formats with 'ami-zoo convert'"
                )
            }
        } else if path.hasSuffix(".index.json") {
            try self.init(index: path, openedAs: path)
        } else {
            try self.init(file: path, openedAs: path)
        }
    }

    /// The tensor with a name, or nil.
    public subscript(name: String) -> StoredTensor? { storedTensors[name] }

    private init(file: String, openedAs path: String) throws(ZooError) {
        let shard = try SafetensorsFile(file)
        self.init(format: .safetensors, path: path, shards: [shard])
    }

    private init(index indexPath: String, openedAs path: String) throws(ZooError) {
        let document = try MappedFile(indexPath)
        let text = document.copy(0..<min(document.byteCount, ShardIndex.limit + 1))
        let index = try ShardIndex(parsing: text, source: indexPath)
        let folder = FileSystem.parent(of: indexPath)
        var shards: [SafetensorsFile] = []
        for name in index.files {
            let shard = try SafetensorsFile("\(folder)/\(name)")
            let found = Set(shard.header.entries.map(\.description.name))
            let listed = Set(index.fileOfTensor.filter { $0.value == name }.keys)
            // Also catches a tensor in two files: the index can list it for one of them only.
            if let stray = found.symmetricDifference(listed).min() {
                throw ZooError(
                    .shardIndexMismatch,
                    found.contains(stray)
                        ? "'\(name)' holds tensor '\(stray)', which the index does not place there"
                        : "the index places tensor '\(stray)' in '\(name)', which does not hold it"
                )
            }
            shards.append(shard)
        }
        let size = shards.reduce(0) { sum, shard in
            shard.header.entries.reduce(sum) { $0 + $1.range.count }
        }
        guard size == index.totalSize ?? size else {
            throw ZooError(
                .shardIndexMismatch,
                "the index states \(index.totalSize ?? 0) bytes of tensors, and the shards hold "
                    + "\(size)"
            )
        }
        self.init(format: .shardedSafetensors, path: path, shards: shards)
    }

    private init(format: Format, path: String, shards: [SafetensorsFile]) {
        self.format = format
        self.path = path
        var stored: [String: StoredTensor] = [:]
        var metadata: [String: String] = [:]
        for shard in shards {
            metadata.merge(shard.header.metadata) { first, _ in first }
            for entry in shard.header.entries {
                stored[entry.description.name] = shard.tensor(entry)
            }
        }
        self.metadata = metadata
        storedTensors = stored
        tensors =
            shards.flatMap { $0.header.entries.map(\.description) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func isFolder(_ path: String) throws(ZooError) -> Bool {
        // A trailing slash makes the system follow a link to the folder, as people expect.
        try FileSystem.status(path + "/")?.kind == .folder
    }

    private static func exists(_ path: String) throws(ZooError) -> Bool {
        try FileSystem.status(path) != nil
    }
}
