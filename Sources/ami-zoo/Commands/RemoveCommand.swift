// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore

/// `ami-zoo remove`.
struct RemoveCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an installed model or data set from the local store."
    )

    @Argument(help: "The model or data set; the version is required when several are installed.")
    var reference: String

    @OptionGroup var output: OutputOptions

    func report() async throws -> RemoveOutcome {
        let (reference, store) = (try ModelReference(parsing: reference), try Surroundings().store)
        return RemoveOutcome(
            removed: try await BlockingWork.run { _ in try store.remove(reference) }
        )
    }
}

struct RemoveOutcome: Report {
    let removed: [ModelStore.Removed]

    private var bytes: Int { removed.reduce(0) { $0 + $1.bytes } }

    var json: JSONValue {
        let folders = removed.map { folder -> JSONValue in
            ["path": .string(folder.path), "bytes": .integer(folder.bytes)]
        }
        return ["removed": .array(folders), "bytes": .integer(bytes)]
    }

    var text: String {
        var lines = removed.map { "removed \($0.path)" }
        lines.append("\(ByteCount(bytes)) freed")
        return lines.joined(separator: "\n")
    }
}

/// `ami-zoo cache gc`.
struct CacheCollectCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove interrupted pulls, cached documents, old results and temporary files.",
        discussion: """
            Installed models stay; 'ami-zoo remove' removes one. So does the evidence of validations, \
            which 'ami-zoo publish' needs. Stored results of evaluations are computed again when they \
            are needed. Pulls and evaluations that are running are not disturbed.
            """
    )

    @Flag(help: "Remove nothing; show what would be removed.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Keep what was used within this time, such as 30m, 24h or 7d.",
            discussion: "Default: 24h, and 30d for stored results of evaluations.",
            valueName: "duration"
        )
    )
    var grace: GracePeriod?

    @OptionGroup var output: OutputOptions

    func report() async throws -> CacheCollectOutcome {
        let store = try Surroundings().store
        let cutoff = ModelStore.Cutoff(
            transfers: (grace ?? GracePeriod(seconds: 86_400)).cutoff,
            evaluations: (grace ?? GracePeriod(seconds: 30 * 86_400)).cutoff
        )
        let dryRun = dryRun
        let collected = try await Interruption.cancelling {
            try await BlockingWork.run { cancellation in
                try store.collect(
                    cutoff,
                    now: Clock.nanoseconds(),
                    dryRun: dryRun,
                    cancellation
                )
            }
        }
        return CacheCollectOutcome(root: store.root, dryRun: dryRun, collected: collected)
    }
}

struct CacheCollectOutcome: Report {
    let root: String
    let dryRun: Bool
    let collected: ModelStore.Collected

    var json: JSONValue {
        [
            "root": .string(root), "dryRun": .bool(dryRun),
            "staging": .integer(collected.staging), "documents": .integer(collected.documents),
            "evaluations": .integer(collected.evaluations),
            "temporaryFiles": .integer(collected.temporaryFiles),
            "bytes": .integer(collected.bytes),
        ]
    }

    var text: String {
        let parts = [
            Counted.text(collected.staging, "interrupted transfer"),
            Counted.text(collected.documents, "cached document"),
            Counted.text(collected.evaluations, "stored evaluation"),
            Counted.text(collected.temporaryFiles, "temporary file"),
        ]
        return "\(parts.joined(separator: ", ")) "
            + (dryRun ? "would be removed" : "removed") + ": \(ByteCount(collected.bytes))"
    }
}
