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
        abstract: "Download the damaged blocks of a model or data set again.",
        discussion:
            "Repairs every installed part of a release, and does not change files that are not "
            + "part of it. Run the same command again after an interruption: it resumes."
    )

    @Argument(help: "An installed model or data set, or a folder that ami-zoo pulled.")
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
        let reports = try await Interruption.cancelling { [model, registry, network] in
            let (targets, host) = try await BlockingWork.run { _ in
                let argument = try ModelArgument(model, in: store)
                let targets = try argument.folders.map { folder in
                    try RepairTarget(folder: folder, reference: argument.reference, in: store)
                }
                return (targets, argument.reference?.host)
            }
            let repairer = Repairer(
                registry: try surroundings.registry(registry, network, host: host) {
                    view.note($0)
                },
                store: store,
                report: { view.show($0) }
            )
            var reports: [RepairReport] = []
            for target in targets {
                reports.append(
                    try await repairer.repair(target, streams: network.connections)
                )
            }
            return reports
        }
        view.close()
        return RepairOutcome(reports: reports, time: clock.now - start)
    }
}

struct RepairOutcome: Report {
    /// The results for the installed parts of a release; never empty.
    let reports: [RepairReport]
    let time: Duration

    var json: JSONValue {
        var members = reports[0].members
        members["seconds"] = .number(time.secondsToMilliseconds)
        if reports.count > 1 {
            members["others"] = .array(reports.dropFirst().map { .object($0.members) })
        }
        return .object(members)
    }

    var text: String {
        var lines: [String] = []
        for report in reports {
            let identity = "\(report.reference) \(report.digest.short)"
            let result =
                report.repaired.isEmpty
                ? "nothing to repair, every byte is as released"
                : "repaired \(report.repaired.joined(separator: ", ")) "
                    + "(\(ByteCount(report.bytesDownloaded)) downloaded) in \(time.shortText)"
            lines += ["\(identity): \(result)", report.path]
        }
        return lines.joined(separator: "\n")
    }
}

extension RepairReport {
    fileprivate var members: [String: JSONValue] {
        [
            "reference": .string(reference.description), "kind": .string(kind.rawValue),
            "digest": .string(digest.description),
            "path": .string(path), "repaired": .array(repaired.map(JSONValue.string)),
            "bytesDownloaded": .integer(bytesDownloaded), "bytesReused": .integer(bytesReused),
        ]
    }
}
