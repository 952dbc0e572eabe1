// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCheckpoint
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooStore
internal import ZooTensor

/// `ami-zoo inspect`.
struct InspectCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the tensors of a checkpoint without executing anything in it."
    )

    @Argument(
        help: """
            A checkpoint file (safetensors, PyTorch or NumPy), a shard index, a model folder, an \
            installed model, an archive that holds a checkpoint, or ARCHIVE/PATH for a checkpoint \
            inside an archive.
            """
    )
    var path: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> InspectOutcome {
        let text = path
        return try await Interruption.cancelling {
            try await BlockingWork.run(whenCancelled: .abandoned) { cancellation in
                let input = try CheckpointInput.inArchive(
                    text,
                    spool: Surroundings().spool,
                    cancellation
                )
                let place = try input?.place ?? FilePlace(Self.resolved(text))
                let checkpoint = try Checkpoint(opening: place.path, in: place.files)
                return InspectOutcome(
                    summary: try CheckpointSummary(
                        of: checkpoint,
                        fingerprinting: true,
                        cancellation
                    ),
                    guess: FamilyGuess(checkpoint, at: place),
                    path: place.path,
                    member: input?.member
                )
            }
        }
    }

    private static func resolved(_ path: String) throws(ZooError) -> String {
        // Follows symbolic links, because the Hugging Face cache consists of them.
        if try FileSystem.status(path) != nil, !FileSystem.isFolder(path) { return path }
        return try ModelLocation(path, in: Surroundings().store).folder
    }
}

/// The family that a checkpoint probably belongs to, and the reason.
struct FamilyGuess {
    let family: String
    let reason: String
    /// The variant; nil when the tensors do not determine it.
    let variant: String?

    init?(_ checkpoint: Checkpoint, at place: FilePlace) {
        // If names collide after their wrapper prefixes are removed, no family matches.
        guard let tensors = try? UpstreamTensors(checkpoint),
            let found = ConvertibleFamily.detect(tensors)
        else { return nil }
        reason = found.reason
        let source = try? ConversionSource(place, backbone: nil)
        let plan = try? source?.plan(ConversionOptions())
        family = plan?.family.rawValue ?? found.family.name
        variant = plan?.variant
    }
}

struct InspectOutcome: Report {
    let summary: CheckpointSummary
    let guess: FamilyGuess?
    let path: String
    let member: CheckpointInput.Member?

    var json: JSONValue {
        guard case .object(var members) = summary.json else { return summary.json }
        if let member { members["member"] = .string(member.name) }
        guard let guess else { return .object(members) }
        members["family"] = .string(guess.family)
        members["reason"] = .string(guess.reason)
        if let variant = guess.variant { members["variant"] = .string(variant) }
        return .object(members)
    }

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
        let likeness =
            guess.map { guess in
                let name = [guess.family, guess.variant].compactMap { $0 }.joined(separator: " ")
                return "\(name): \(guess.reason)"
            } ?? "no known family"
        let ties =
            summary.ties.isEmpty
            ? "none" : summary.ties.map { $0.joined(separator: " = ") }.joined(separator: "; ")
        return """
            \(table)

            \(path)
            format       \(summary.format.rawValue)
            tensors      \(summary.tensors.count), \(summary.elementCount) numbers, \
            \(ByteCount(summary.byteCount))
            looks like   \(likeness)
            top level    \(summary.topLevelKeys.joined(separator: ", "))
            tied         \(ties)
            metadata     \(metadata.isEmpty ? "none" : metadata.joined(separator: "; "))
            fingerprint  \(summary.fingerprint.map(\.description) ?? "not computed")
            """
    }
}
