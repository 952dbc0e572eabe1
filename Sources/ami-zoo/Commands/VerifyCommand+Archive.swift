// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore
internal import ZooTrust

/// The report of `verify`.
enum VerifyReport: Report {
    case model(VerifyOutcome)
    case archive(ArchiveOutcome)
    case signedFolder(SignedFolderOutcome)

    private var report: any Report {
        switch self {
        case .model(let outcome): outcome
        case .archive(let outcome): outcome
        case .signedFolder(let outcome): outcome
        }
    }

    var json: JSONValue { report.json }
    var text: String { report.text }
    var exitStatus: Int32 { report.exitStatus }
}

/// The result for an archive.
struct ArchiveOutcome: Report {
    let verification: ArchiveVerification
    let policy: PolicyUse
    /// What the policy says; nil when nothing says which release the archive belongs to.
    let verdicts: PolicyReport?
    let time: Duration

    var exitStatus: Int32 { isSound ? 0 : 1 }
    private var isSound: Bool { verification.passed && unmet.isEmpty }

    /// What the policy requires and nobody proved; nothing without a policy.
    private var unmet: [Finding] {
        guard let path = policy.loaded.path else { return [] }
        if let verdicts { return verdicts.findings }
        return [
            Finding(
                .policyUnmet,
                path: verification.path,
                message: "nothing says which release the archive belongs to, so that the policy "
                    + "'\(path)' cannot be met",
                remedy: "name the release with '--release NAME:VERSION'"
            )
        ]
    }
    private var findings: [Finding] { verification.findings + unmet }

    var json: JSONValue {
        let expected = verification.expected
        let files = verification.passed ? verification.verified?.files ?? [] : []
        var members: [String: JSONValue] = [
            "status": .string(isSound ? "passed" : "failed"),
            "reference": expected.map { .string($0.reference.description) } ?? .null,
            "kind": expected.map { .string($0.record.kind.rawValue) } ?? .null,
            "archive": expected.map { .string($0.archive.name) } ?? .null,
            "digest": .string(verification.digest.description),
            "path": .string(verification.path), "anchor": verification.anchor.json,
            "files": .array(files.map(\.verifiedJSON)),
            // One archive does not show that its release is complete.
            "complete": .bool(false), "components": .null,
            "findings": .array(findings.map(\.json)),
        ]
        if let policy = policy.json(verdicts) { members["policy"] = policy }
        return .object(members)
    }

    var text: String {
        let identity =
            verification.expected.map { "archive '\($0.archive.name)' of \($0.reference)" }
            ?? "'\(verification.path)'"
        guard isSound else {
            return ([FindingList.text(findings)] + explained + ["\(identity): FAILED"])
                .joined(separator: "\n")
        }
        var lines = ["\(identity): \(content) (\(time.shortText))", explanation]
        if let others = verification.expected.map({ $0.archives - 1 }), others > 0 {
            lines.append("the release has \(Counted.text(others, "other archive"))")
        }
        return (lines + explained).joined(separator: "\n")
    }

    private var explained: [String] {
        // Without a release there is nothing that rules could be about.
        verification.expected == nil ? [] : policy.lines(verdicts)
    }

    private var content: String {
        guard let files = verification.verified?.files else {
            return "every byte is that of the digest; no release says which files are in it"
        }
        return
            "\(Counted.text(files.count, "file")), \(ByteCount(files.reduce(0) { $0 + $1.size })), "
            + "every byte is "
            + (verification.anchor.kind == .folder
                ? "as the manifest of the installed folder says" : "as released")
    }

    private var explanation: String {
        let anchor = verification.anchor
        return switch anchor.kind {
        case .requested: "anchor: the digest that you passed"
        case .registry: "anchor: the release that \(anchor.source) lists"
        case .tuf: anchor.tufExplanation
        case .store:
            "anchor: the digest that the local store recorded when it installed the release"
        case .folder:
            "anchor: the manifest in an installed folder, which does not prove where it comes from "
                + "(--release or --digest proves that)"
        }
    }
}

extension ReleaseRecord.File {
    /// A verified file, for the list `files`.
    var verifiedJSON: JSONValue {
        [
            "path": .string(path.text), "size": .integer(size),
            "digest": .string(digest.description),
        ]
    }
}
