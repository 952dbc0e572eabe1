// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// `ami-zoo repair`.
struct RepairCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Download the damaged blocks of a model again.",
        discussion: "Does not change files that are not part of the release. Run the same command "
            + "again after an interruption: it resumes."
    )

    @Argument(help: "An installed model, or a folder that ami-zoo pulled.")
    var model: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> RepairOutcome {
        let surroundings = Surroundings()
        let store = try surroundings.store
        let view = PullProgressView(output)
        defer { view.close() }
        let clock = ContinuousClock()
        let start = clock.now
        let report = try await Interruption.cancelling { [model, registry, network] in
            let (target, host) = try await BlockingWork.run { _ in
                let argument = try ModelArgument(model, in: store)
                let target = try RepairTarget(
                    folder: argument.folders[0],
                    reference: argument.reference,
                    in: store
                )
                return (target, argument.reference?.host)
            }
            let repairer = Repairer(
                registry: try surroundings.registry(registry, network, host: host) {
                    view.note($0)
                },
                store: store,
                report: { view.show($0) }
            )
            return try await repairer.repair(target, streams: network.connections ?? 4)
        }
        view.close()
        return RepairOutcome(report: report, time: clock.now - start)
    }
}

struct RepairOutcome: Report {
    let report: RepairReport
    let time: Duration

    var json: JSONValue {
        [
            "reference": .string(report.reference.description),
            "digest": .string(report.digest.description), "path": .string(report.path),
            "repaired": .array(report.repaired.map(JSONValue.string)),
            "bytesDownloaded": .integer(report.bytesDownloaded),
            "bytesReused": .integer(report.bytesReused),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        let identity = "\(report.reference) \(report.digest.short)"
        guard !report.repaired.isEmpty else {
            return "\(identity): nothing to repair, every byte is as released\n\(report.path)"
        }
        return "\(identity): repaired \(report.repaired.joined(separator: ", ")) "
            + "(\(ByteCount(report.bytesDownloaded)) downloaded) in \(time.shortText)\n\(report.path)"
    }
}
