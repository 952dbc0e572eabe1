// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// `model.safetensors.index.json`: the shard file of each tensor.
struct ShardIndex {
    /// The maximum size of an index in bytes; one entry takes about 100.
    static let limit = 64 << 20
    /// The maximum number of shards.
    static let shardLimit = 10_000

    /// The file of each tensor.
    let fileOfTensor: [String: String]

    /// The shard files, sorted.
    var files: [String] { Set(fileOfTensor.values.map(ExactName.init)).sorted().map(\.text) }

    /// Reads an index from a file; symbolic links are followed.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.index-malformed`,
    ///   `checkpoint.index-path-unsafe` or `io.*`.
    init(reading path: String) throws(ZooError) {
        let text = try FileSystem.document(path, limit: Self.limit, followingLinks: true)
        try self.init(parsing: text, source: path)
    }

    /// Reads an index.
    ///
    /// - Parameters:
    ///   - text: the document.
    ///   - source: the name of the file, for messages.
    /// - Throws: ``ZooError`` with code `checkpoint.index-malformed` or
    ///   `checkpoint.index-path-unsafe`.
    init(parsing text: [UInt8], source: String) throws(ZooError) {
        do {
            let root = try JSONObject(
                try JSONValue(parsing: text, limits: JSONValue.Limits(bytes: Self.limit))
            )
            // `metadata.total_size` is not read, as in transformers: it is stale in many published
            // folders, and the map and the headers of the shards say which bytes must be there.
            let map = try root.object("weight_map")
            var files: [String: String] = [:]
            for name in map.members.keys { files[name] = try map.string(name, maximum: 255) }
            fileOfTensor = files
        } catch {
            throw ZooError(
                .shardIndexMalformed,
                "'\(source)' is not a shard index",
                cause: error
            )
        }
        for file in fileOfTensor.values {
            // Shards are in the folder of their index, so a name with a folder is never valid.
            // Compares bytes, because a Character may combine a slash with a combining mark.
            guard !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(UInt8(ascii: "\\")),
                file.hasSuffix(".safetensors"), file.utf8.first != UInt8(ascii: ".")
            else {
                throw ZooError(
                    .shardIndexPathUnsafe,
                    "'\(source)' names the file '\(file)'; shards are `.safetensors` files "
                        + "in the folder of their index"
                )
            }
        }
        guard files.count <= Self.shardLimit else {
            throw ZooError(.shardIndexMalformed, "'\(source)' names too many files: \(files.count)")
        }
    }
}
