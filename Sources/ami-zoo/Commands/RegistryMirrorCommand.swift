// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore

/// `ami-zoo registry mirror`.
struct RegistryMirrorCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror",
        abstract: "Copy releases and their attachments from one registry to another.",
        discussion: """
            Every blob is checked on its way, and a release is published when it is complete. Run the \
            same command again after an interruption, or to copy new releases: blobs that the \
            destination has are not sent again. The copied versions get the yanks and channels of the \
            source, and a yank that the source does not have is taken back; in an OCI registry that is \
            not ami-zoo serve they lie under the tag '_index' of each model.
            """
    )

    @Argument(help: "The registry to copy from: a folder or an http(s) address.")
    var source: String

    @Argument(
        help: "The registry to copy to: a registry folder, or the address of an OCI registry."
    )
    var destination: String

    @Argument(
        help: ArgumentHelp(
            "The models, data sets or versions to copy. Default: all of the source.",
            valueName: "reference"
        )
    )
    var references: [String] = []

    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> MirrorOutcome {
        let selections = try references.map { try RegistryMirror.Selection(parsing: $0) }
        let view = PullProgressView(output)
        defer { view.close() }
        let (registry, target) = try await Surroundings().mirror(
            from: source,
            to: destination,
            network,
            signing
        ) { view.note($0) }
        let mirror = RegistryMirror(
            from: registry,
            to: target,
            streams: network.connections ?? 4,
            isSourceCurrent: true,
            progress: { view.show($0) }
        )
        let (clock, start) = (ContinuousClock(), ContinuousClock.now)
        let report = try await Interruption.cancelling { try await mirror.copy(selections) }
        view.close()
        return MirrorOutcome(
            source: registry.source.address,
            destination: target.address,
            report: report,
            time: clock.now - start
        )
    }
}

struct MirrorOutcome: Report {
    let source: String
    let destination: String
    let report: RegistryMirror.Report
    let time: Duration

    var json: JSONValue {
        [
            "source": .string(source),
            "destination": .string(destination),
            "releases": .array(report.releases.map(\.json)),
            "skipped": .array(report.skipped.map { .string($0.description) }),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        let releases = report.releases.map { release in
            let identity = "\(release.reference) \(release.digest.short)"
            let attached =
                release.attached.isEmpty
                ? "" : ", \(Counted.text(release.attached.count, "attachment"))"
            if release.alreadyThere {
                return "\(identity) is in \(destination) already\(attached)"
            }
            return "\(identity): \(ByteCount(release.bytesUploaded)) of "
                + "\(ByteCount(release.bytesTotal)) sent\(attached)"
        }
        let skipped = report.skipped.map {
            "\($0) is yanked and was left out: \(destination) cannot record the yank"
        }
        let total =
            "\(Counted.text(report.releases.count, "release")) in \(destination) after "
            + time.shortText
        return (releases + skipped + [total]).joined(separator: "\n")
    }
}
