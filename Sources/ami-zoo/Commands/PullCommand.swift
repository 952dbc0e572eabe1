// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles

/// `ami-zoo pull`.
struct PullCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Download a model or data set, verify every block, and install it.",
        discussion: """
            Run the same command again after an interruption: it resumes. If the release is already \
            installed, the command downloads nothing.
            """
    )

    @Argument(
        help: """
            The model or data set to pull, such as ami/ball-drop or ami/ball-drop:1.0.0. With \
            --locked it may be left out: all releases of the lock file.
            """
    )
    var reference: String?

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions

    @Option(help: "The folder to install into. Default: a folder in the local store.")
    var to: String?

    @Option(
        help: "Download only this component and the files that belong to no component. Repeatable."
    )
    var only: [String] = []

    @Flag(help: "Install exactly what ami-zoo.lock in the working folder says.")
    var locked = false

    @Option(
        help: """
            The identifier of a licence that you accept; required where a licence restricts use and \
            nobody can be asked. Repeatable.
            """
    )
    var acceptLicence: [String] = []

    @Flag(help: "Do not use the network; fail if the release is not installed.")
    var offline = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard reference != nil || locked else {
            throw ValidationError("name a model or data set, or use --locked")
        }
        guard reference != nil || (to == nil && only.isEmpty) else {
            throw ValidationError("--to and --only need the name of a model")
        }
    }

    func report() async throws -> PullOutcome {
        let view = PullProgressView(output)
        defer { view.close() }
        let clock = ContinuousClock()
        let start = clock.now
        var reports: [PullReport] = []
        for target in try targets() {
            let report = try await pull(target, view)
            if let yank = report.yank {
                view.close()
                Console.note("warning: \(report.reference) was withdrawn: \(yank.reason)")
            }
            reports.append(report)
        }
        view.close()
        return PullOutcome(reports: reports, locked: locked, time: clock.now - start)
    }

    /// A release to pull.
    private struct Target {
        let reference: ModelReference
        /// The registry in the lock file.
        var registry: String?
    }

    private func targets() throws -> [Target] {
        let requested = try reference.map { try ModelReference(parsing: $0) }
        guard locked else {
            guard let requested else { return [] }
            return [Target(reference: requested)]
        }
        let lock = try ProjectLock(path: FileSystem.absolute(ProjectLock.fileName))
        var targets: [Target] = []
        for name in lock.entries.keys.sorted() where requested == nil {
            targets.append(try target(ModelReference(name: name), in: lock))
        }
        if let requested { targets.append(try target(requested, in: lock)) }
        return targets
    }

    private func target(
        _ requested: ModelReference,
        in lock: ProjectLock
    ) throws(ZooError) -> Target {
        let entry = try lock.entry(for: requested)
        let reference = ModelReference(
            host: requested.host,
            name: requested.name,
            selector: .version(entry.version),
            digest: entry.digest
        )
        return Target(reference: reference, registry: entry.registry)
    }

    private func pull(_ target: Target, _ view: PullProgressView) async throws -> PullReport {
        let surroundings = Surroundings()
        var request = PullRequest(target.reference)
        request.components = only.isEmpty ? nil : Set(only)
        request.destination = to
        request.offline = offline
        request.streams = network.connections
        request.acceptedLicences = Set(acceptLicence)
        let store = try surroundings.store
        // Before the registry is resolved, because --offline does not require one.
        if offline { return try Puller.installed(request, in: store) }
        let source = try surroundings.registry(
            registry(for: target),
            network,
            host: target.reference.host
        ) { view.note($0) }
        let puller = Puller(registry: source, store: store, report: { view.show($0) })
        do {
            return try await Interruption.cancelling { [request] in
                try await puller.pull(request)
            }
        } catch let refusal as ZooError where refusal.code == .licenceNotAccepted {
            view.close()
            // Asked outside of the pull, so that a signal ends the question.
            let licence = try await source.resolve(target.reference).record.licence
            try LicenceQuestion.ask(refusal, licence)
            request.acceptedLicences.insert(licence)
            return try await Interruption.cancelling { [request] in
                try await puller.pull(request)
            }
        }
    }

    /// The registry of the command line, or else of the lock file.
    private func registry(for target: Target) -> RegistryOptions {
        var options = registry
        guard options.registry == nil, let locked = target.registry else { return options }
        // A folder may be elsewhere on this machine. The digest decides, so any registry will do.
        if case .folder(let path)? = try? RegistryLocation(parsing: locked),
            !FileSystem.isFolder(path)
        {
            return options
        }
        options.registry = locked
        return options
    }
}

struct PullOutcome: Report {
    let reports: [PullReport]
    let locked: Bool
    let time: Duration

    var json: JSONValue {
        var members: [String: JSONValue] = [:]
        if locked {
            members["releases"] = .array(reports.map { JSONValue.object($0.fields) })
        } else {
            members = reports[0].fields
        }
        members["seconds"] = .number(time.secondsToMilliseconds)
        return .object(members)
    }

    var text: String {
        reports.isEmpty
            ? "the lock file has no releases"
            : reports.map { $0.text(after: time) }.joined(separator: "\n")
    }
}

extension PullReport {
    fileprivate var fields: [String: JSONValue] {
        [
            "reference": .string(reference.description),
            "kind": .string(kind.rawValue),
            "digest": .string(digest.description),
            "path": .string(path),
            "bytesTotal": .integer(bytesTotal),
            "bytesDownloaded": .integer(bytesDownloaded),
            "bytesReused": .integer(bytesReused),
            "alreadyInstalled": .bool(alreadyInstalled),
        ]
    }

    fileprivate func text(after time: Duration) -> String {
        let identity = "\(reference) \(digest.short)"
        guard !alreadyInstalled else { return "\(identity) is installed already\n\(path)" }
        var parts = ["\(ByteCount(bytesDownloaded)) downloaded"]
        if bytesReused > 0 {
            parts.append("\(ByteCount(bytesReused)) reused from this machine")
        }
        return "\(identity) verified and installed (\(parts.joined(separator: ", "))) "
            + "in \(time.shortText)\n\(path)"
    }
}
