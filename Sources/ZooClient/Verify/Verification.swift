// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore

/// The result of a verification.
package struct Verification: Sendable {
    /// The anchor of the manifest's digest; nil when there is no readable manifest.
    package let anchor: VerificationAnchor?
    /// Weaker anchors that the digest was compared with too.
    package let otherAnchors: [VerificationAnchor]
    /// The errors and warnings.
    package let findings: [Finding]
    /// The files if every byte of each was verified; nil otherwise.
    package let verified: VerifiedFiles?

    /// What the folder keeps about the validation of the model, bound by the digest of its manifest; nil for a
    /// data set, and when the documents are invalid.
    package let evidence: AttachedEvidence?
    /// Whether there are no errors and every byte of every file was verified.
    package var passed: Bool {
        verified != nil && !findings.contains { $0.severity == .error }
    }

    private init(
        _ anchor: VerificationAnchor?,
        _ otherAnchors: [VerificationAnchor],
        _ findings: [Finding],
        _ verified: VerifiedFiles?,
        _ evidence: AttachedEvidence?
    ) {
        self.anchor = anchor
        self.otherAnchors = otherAnchors
        self.findings = findings
        self.verified = verified
        self.evidence = evidence
    }

    /// The result with more findings and the evidence that the folder keeps.
    func adding(_ findings: [Finding], _ evidence: AttachedEvidence?) -> Verification {
        Verification(anchor, otherAnchors, self.findings + findings, verified, evidence)
    }

    /// Creates the result for a folder whose documents are invalid.
    init(damaged error: ZooError, _ path: String) {
        anchor = nil
        otherAnchors = []
        verified = nil
        evidence = nil
        findings = [Finding(error, path: path)]
    }

    /// Creates a result.
    ///
    /// - Parameters:
    ///   - anchor: the anchor of the manifest's digest.
    ///   - findings: the problems found.
    ///   - coverage: the verified bytes.
    ///   - files: all files that must be verified.
    ///   - otherAnchors: weaker anchors that the digest was compared with too.
    init(
        _ anchor: VerificationAnchor,
        _ findings: [Finding],
        _ coverage: VerifiedCoverage,
        of files: [ReleaseRecord.File],
        also otherAnchors: [VerificationAnchor] = []
    ) {
        self.anchor = anchor
        self.otherAnchors = otherAnchors
        verified = try? coverage.complete(files)
        evidence = nil
        let named = Set(findings.map(\.path))
        // An uncovered file without a finding indicates a bug here and must not pass.
        self.findings =
            findings
            + coverage.gaps(in: files).filter { !named.contains($0.text) }.map { path in
                Finding(
                    .filesNotCovered,
                    path: path.text,
                    message: "not every byte of '\(path)' could be verified",
                    remedy: "fix the other findings, then verify again"
                )
            }
    }
}
