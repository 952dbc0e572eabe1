// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
internal import ZooTensor

/// The weights of a model folder to pack: every safetensors file in it.
package struct ModelWeights: Sendable {
    /// The offset of each tensor in its file, where block boundaries are placed.
    package let tensorStarts: [ReleasePath: [Int]]
    private let folder: String
    private let checkpoints: [ReleasePath: Checkpoint]

    /// Opens the files and reads their headers.
    ///
    /// - Throws: ``ZooError`` with a `checkpoint.*`, `release.*` or `io.*` code;
    ///   `CancellationError`.
    package init(folder: String, _ cancellation: Cancellation) throws {
        self.folder = folder
        var checkpoints: [ReleasePath: Checkpoint] = [:]
        var starts: [ReleasePath: [Int]] = [:]
        for name in try FileSystem.files(below: folder) where name.hasSuffix(".safetensors") {
            try cancellation.check()
            let path = try ReleasePath(parsing: name)
            checkpoints[path] = try Checkpoint(opening: "\(folder)/\(name)")
            starts[path] = try SafetensorsFile(MappedFile("\(folder)/\(name)")).tensorStarts
        }
        self.checkpoints = checkpoints
        tensorStarts = starts
    }

    /// Counts and fingerprints the tensors of a component in all its files.
    ///
    /// - Parameters:
    ///   - files: the files of the component; those that are neither safetensors files nor indexes
    ///     of shards hold no tensors.
    ///   - prefix: the prefix of the names of its tensors.
    ///   - cancellation: stops the reading.
    /// - Returns: the facts; nil when no tensor has the prefix.
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-duplicate` when two files hold a tensor of
    ///   one name, `pack.description-invalid` when an index names a shard that `files` lacks, a
    ///   `checkpoint.*` or `io.*` code; `CancellationError`.
    package func facts(
        ofFiles files: [String],
        prefix: String,
        _ cancellation: Cancellation
    ) throws -> RecordDraft.ComponentFacts? {
        for index in files where index.hasSuffix(".safetensors.index.json") {
            try requireShards(of: index, among: files)
        }
        var places: [String: String] = [:]
        var found: [(checkpoint: Checkpoint, tensors: [TensorDescription])] = []
        for file in Set(files.map(ExactName.init)).sorted().map(\.text)
        where file.hasSuffix(".safetensors") {
            let checkpoint = try checkpoint(file)
            let tensors = checkpoint.tensors.filter { $0.name.hasPrefix(prefix) }
            for tensor in tensors {
                if let other = places.updateValue(file, forKey: tensor.name) {
                    throw ZooError(
                        .tensorDuplicate,
                        "tensor '\(tensor.name)' is in '\(other)' and in '\(file)', which belong to "
                            + "one component",
                        remedy: "remove one of the two tensors, or list the files under different "
                            + "components"
                    )
                }
            }
            found.append((checkpoint, tensors))
        }
        let tensors = found.flatMap(\.tensors)
        guard !tensors.isEmpty else { return nil }
        let rows = try found.flatMap { checkpoint, tensors in
            try TensorDigests(of: checkpoint, names: tensors.map(\.name), cancellation).rows
        }
        return RecordDraft.ComponentFacts(
            tensors: tensors.count,
            parameters: tensors.reduce(0) { $0 + $1.shape.elementCount },
            dtypes: Set(tensors.map(\.dtype.rawValue)).sorted(),
            fingerprint: TensorFingerprint.digest(of: rows)
        )
    }

    private func checkpoint(_ file: String) throws(ZooError) -> Checkpoint {
        let path = try ReleasePath(parsing: file)
        return if let known = checkpoints[path] { known } else {
            try Checkpoint(opening: "\(folder)/\(file)")
        }
    }

    /// Checks that a component lists all shards of an index, which cannot be opened without them.
    private func requireShards(of index: String, among files: [String]) throws(ZooError) {
        let path = "\(folder)/\(try ReleasePath(parsing: index))"
        // Checks the index against its shards.
        _ = try Checkpoint(opening: path)
        let parent = index.split(separator: "/").dropLast().map { "\($0)/" }.joined()
        let listed = Set(files.map(ExactName.init))
        let shards = try ShardIndex(reading: path).files.map { parent + $0 }
        guard let missing = shards.first(where: { !listed.contains(ExactName($0)) }) else { return }
        throw ZooError(
            .descriptionInvalid,
            "a component lists '\(index)', but not its shard '\(missing)'",
            remedy: "list every shard under 'files' of the component"
        )
    }
}
