// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooStore

/// `ami-zoo verify`.
struct VerifyCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of an installed model against its manifest, offline."
    )

    @Argument(help: "An installed model, or a folder that ami-zoo pulled.")
    var model: String

    @Flag(help: "Also hash each file whole against the release record.")
    var deep = false

    @OptionGroup var output: OutputOptions

    func report() async throws -> VerifyOutcome {
        let location = try ModelLocation(model, in: Surroundings().store)
        // Opened again here, because now the reason why it is not a release is the news.
        let release = try location.release ?? InstalledRelease(folder: location.folder)
        let verifier = ReleaseVerifier(release, workers: Processors.count)
        let (deep, clock) = (deep, ContinuousClock())
        let start = clock.now
        let findings = try await Interruption.cancelling { try await verifier.findings(deep: deep) }
        return VerifyOutcome(
            release: release,
            pinned: try? ModelReference(parsing: model).digest,
            findings: findings,
            time: clock.now - start
        )
    }
}

struct VerifyOutcome: Report {
    let release: InstalledRelease
    let pinned: ContentDigest?
    let findings: [Finding]
    let time: Duration

    var exitStatus: Int32 { isSound ? 0 : 1 }
    private var isSound: Bool { !findings.contains { $0.severity == .error } }

    var json: JSONValue {
        [
            "status": .string(isSound ? "passed" : "failed"),
            "reference": .string(release.reference.description),
            "digest": .string(release.digest.description),
            "path": .string(release.folder),
            "findings": .array(findings.map(\.json)),
        ]
    }

    var text: String {
        guard isSound else {
            return FindingList.text(findings)
                + "\n\(release.reference) \(release.digest.short): FAILED"
        }
        let bytes = release.files.reduce(0) { $0 + $1.size }
        return "\(release.reference) \(release.digest.short): \(release.files.count) files, "
            + "\(ByteCount(bytes)), every byte is as released (\(time.shortText))"
    }
}
