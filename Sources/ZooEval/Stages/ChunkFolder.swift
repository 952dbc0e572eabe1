// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The stored columns of a stage: a file for each chunk, written whole or not at all.
struct ChunkFolder: Sendable {
    /// The columns of a chunk, whose digest was checked.
    struct Chunk: Sendable {
        /// The number of samples.
        let samples: Int
        /// The kernels that computed the columns.
        let kernels: String
        /// The digest of the columns and of the name of the kernels.
        let digest: ContentDigest
        /// Reads the columns, [samples, width], from their file, so that they need no memory until then.
        let columns: @Sendable () throws(ZooError) -> [String: Tensor]
    }

    /// The path of the folder.
    let folder: String
    private let key: ContentDigest

    /// Opens the folder of a stage.
    ///
    /// - Parameters:
    ///   - work: the folder of all stages, which may not exist.
    ///   - key: the key of the stage.
    init(work: String, key: ContentDigest) {
        folder = "\(work)/\(key.hex)"
        self.key = key
    }

    private func path(_ index: Int) -> String {
        let digits = String(index)
        return
            "\(folder)/chunk-\(String(repeating: "0", count: max(0, 7 - digits.count)))\(digits).safetensors"
    }

    /// Reads a chunk.
    ///
    /// - Returns: the chunk; nil when it is not there, or is damaged and must be computed again.
    func chunk(_ index: Int, of stage: any SampleStage) -> Chunk? {
        let (path, rows) = (path(index), stage.samples(ofChunk: index).count)
        guard let file = try? Checkpoint(opening: path),
            let kernels = file.metadata["kernels"], file.metadata["stage"] == key.description,
            file.tensors.count == stage.columns.count,
            let columns = try? Self.columns(of: file, stage.columns, rows: rows)
        else { return nil }
        let digest = Self.digest(columns, kernels)
        guard (try? file.requireIntact()) != nil, file.metadata["columns"] == digest.description
        else { return nil }
        let widths = stage.columns
        return Chunk(samples: rows, kernels: kernels, digest: digest) { () throws(ZooError) in
            try Self.columns(of: try Checkpoint(opening: path), widths, rows: rows)
        }
    }

    /// The columns in a file, which stay in the file.
    private static func columns(
        of file: Checkpoint,
        _ widths: [String: Int],
        rows: Int
    ) throws(ZooError) -> [String: Tensor] {
        var columns: [String: Tensor] = [:]
        for (name, width) in widths {
            guard let tensor = file[name], tensor.dtype == .f32,
                tensor.shape == Shape([rows, width])
            else {
                throw ZooError(
                    .shardMissing,
                    "'\(file.path)' has no column '\(name)' of \(rows) samples",
                    remedy: "run the shard again"
                )
            }
            columns[name] = tensor.tensor
        }
        return columns
    }

    /// Stores a chunk.
    ///
    /// - Parameters:
    ///   - columns: the columns.
    ///   - index: the number of the chunk.
    /// - Returns: the chunk.
    /// - Throws: ``ZooError`` with an `io.*` code.
    func store(_ columns: [String: Tensor], as index: Int) throws(ZooError) -> Chunk {
        let kernels = KernelPath.fastest.name
        let digest = Self.digest(columns, kernels)
        try FileSystem.createFolder(folder)
        try SafetensorsWriter.write(
            columns,
            metadata: [
                "format": "ami-zoo.chunk/1", "stage": key.description, "kernels": kernels,
                "columns": digest.description,
            ],
            to: path(index)
        )
        return Chunk(
            samples: columns.values.first?.shape[0] ?? 0,
            kernels: kernels,
            digest: digest
        ) { columns }
    }

    private static func digest(_ columns: [String: Tensor], _ kernels: String) -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        hasher.update(Array(kernels.utf8))
        for (_, tensor) in columns.sorted(by: { $0.key < $1.key }) {
            StoredTensor(tensor).withBytes { hasher.update($0) }
        }
        return hasher.finish()
    }
}

extension KernelPath {
    /// The name in reports.
    var name: String {
        switch self {
        case .portable: "portable"
        case .avx2: "avx2"
        case .avx512: "avx512"
        }
    }
}
