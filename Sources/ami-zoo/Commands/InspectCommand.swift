// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooStore
internal import ZooTensor

/// `ami-zoo inspect`.
struct InspectCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the tensors of a checkpoint; nothing in it is executed."
    )

    @Argument(
        help: """
            A checkpoint file of any format (safetensors, PyTorch, NumPy), a shard index, a model \
            folder, or an installed model.
            """
    )
    var path: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> InspectOutcome {
        let path = try resolved()
        return InspectOutcome(
            summary: try await BlockingWork.run {
                try CheckpointSummary(of: Checkpoint(opening: path), fingerprinting: true)
            },
            path: path
        )
    }

    private func resolved() throws(ZooError) -> String {
        if try FileSystem.status(path)?.kind == .file { return path }
        return try ModelLocation(path, in: Surroundings().store).folder
    }
}

struct InspectOutcome: Report {
    let summary: CheckpointSummary
    let path: String

    var json: JSONValue { summary.json }

    var text: String {
        let table = Table.text(
            ["TENSOR", "DTYPE", "SHAPE", "SIZE"],
            summary.tensors.map { tensor in
                [
                    tensor.name, tensor.dtype.rawValue, "\(tensor.shape)",
                    ByteCount(tensor.byteCount).description,
                ]
            }
        )
        let metadata = summary.metadata.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
        let ties =
            summary.ties.isEmpty
            ? "none" : summary.ties.map { $0.joined(separator: " = ") }.joined(separator: "; ")
        return """
            \(table)

            \(path)
            format       \(summary.format.rawValue)
            tensors      \(summary.tensors.count), \(summary.elementCount) numbers, \
            \(ByteCount(summary.byteCount))
            top level    \(summary.topLevelKeys.joined(separator: ", "))
            tied         \(ties)
            metadata     \(metadata.isEmpty ? "none" : metadata.joined(separator: "; "))
            fingerprint  \(summary.fingerprint.map(\.description) ?? "not computed")
            """
    }
}
