// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore

/// `ami-zoo pull`.
struct PullCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a model, verify every block, and install it.",
        discussion: """
            Run the same command again after an interruption: it resumes. If the model is already \
            installed, the command downloads nothing.
            """
    )

    @Argument(help: "The model to pull, such as ami/ball-drop or ami/ball-drop:1.0.0.")
    var reference: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions

    @Option(help: "The folder to install into. Default: a folder in the local store.")
    var to: String?

    @Option(
        help: "Download only this component and the files that belong to no component. Repeatable."
    )
    var only: [String] = []

    @Flag(help: "Do not use the network; fail if the model is not installed.")
    var offline = false

    @OptionGroup var output: OutputOptions

    func report() async throws -> PullOutcome {
        let reference = try ModelReference(parsing: reference)
        let surroundings = Surroundings()
        let view = PullProgressView(output)
        defer { view.close() }
        var request = PullRequest(reference)
        request.components = only.isEmpty ? nil : Set(only)
        request.destination = to
        request.offline = offline
        request.streams = network.connections ?? request.streams
        let store = try surroundings.store
        let clock = ContinuousClock()
        let start = clock.now
        let report: PullReport
        if offline {
            // Before the registry is resolved, because --offline does not require one.
            report = try Puller.installed(request, in: store)
        } else {
            let source = try surroundings.registry(registry, network, host: reference.host) {
                view.note($0)
            }
            let puller = Puller(registry: source, store: store, report: { view.show($0) })
            report = try await Interruption.cancelling { [request] in
                try await puller.pull(request)
            }
        }
        view.close()
        if let yank = report.yank {
            Console.note("warning: \(report.reference) was withdrawn: \(yank.reason)")
        }
        return PullOutcome(report: report, time: clock.now - start)
    }
}

struct PullOutcome: Report {
    let report: PullReport
    let time: Duration

    var json: JSONValue {
        [
            "reference": .string(report.reference.description),
            "digest": .string(report.digest.description),
            "path": .string(report.path),
            "bytesTotal": .integer(report.bytesTotal),
            "bytesDownloaded": .integer(report.bytesDownloaded),
            "bytesReused": .integer(report.bytesReused),
            "alreadyInstalled": .bool(report.alreadyInstalled),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        let identity = "\(report.reference) \(report.digest.short)"
        guard !report.alreadyInstalled else {
            return "\(identity) is installed already\n\(report.path)"
        }
        var parts = ["\(ByteCount(report.bytesDownloaded)) downloaded"]
        if report.bytesReused > 0 {
            parts.append("\(ByteCount(report.bytesReused)) reused from this machine")
        }
        return "\(identity) verified and installed (\(parts.joined(separator: ", "))) "
            + "in \(time.shortText)\n\(report.path)"
    }
}
