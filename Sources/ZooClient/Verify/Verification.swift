// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore

/// What a verification found, and what it is worth.
package struct Verification: Sendable {
    /// What the digest of the manifest was held against; nil when there is no manifest that can be read.
    package let anchor: VerificationAnchor?
    /// Everything that is wrong, or worth knowing.
    package let findings: [Finding]
    /// The files, when every byte of each was verified; nil otherwise.
    package let verified: VerifiedFiles?

    /// Whether nothing is wrong and every byte of every file was verified.
    package var passed: Bool {
        verified != nil && !findings.contains { $0.severity == .error }
    }

    /// The conclusion about a folder whose documents cannot be used.
    init(damaged error: ZooError, _ path: String) {
        anchor = nil
        verified = nil
        findings = [Finding(error, path: path)]
    }

    /// Draws the conclusion.
    ///
    /// - Parameters:
    ///   - anchor: what the manifest was held against.
    ///   - findings: what is wrong.
    ///   - coverage: what was verified.
    ///   - files: all files that have to be.
    init(
        _ anchor: VerificationAnchor,
        _ findings: [Finding],
        _ coverage: VerifiedCoverage,
        of files: [ReleaseRecord.File]
    ) {
        self.anchor = anchor
        verified = try? coverage.complete(files)
        let named = Set(findings.map(\.path))
        // A file that was not covered and that nobody complained about is a fault of ours; it is no pass.
        self.findings =
            findings
            + coverage.gaps(in: files).filter { !named.contains($0.text) }.map { path in
                Finding(
                    .filesNotCovered,
                    path: path.text,
                    message: "not every byte of '\(path)' could be verified",
                    remedy: "mend what else was found, then verify again"
                )
            }
    }
}
