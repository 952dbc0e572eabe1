// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a release is made of, for tools that collect bills of materials: its files, origin, licence, data sets and
/// measurements, from its record and what is attached to it.
public struct BillOfMaterials: Sendable {
    /// A standard for bills of materials of machine-learning models.
    public enum Format: String, Sendable, CaseIterable {
        /// CycloneDX 1.6 in JSON (ECMA-424).
        case cyclonedx
        /// The AI profile of SPDX 3.0.1 in JSON-LD.
        case spdx
    }

    let record: ReleaseRecord
    let digest: ContentDigest
    let evidence: AttachedEvidence
    let provenance: ConversionProvenance?
    let created: Timestamp
    let program: String
    /// The address of the registry, if others can reach it.
    let registry: String?

    /// Collects the parts.
    ///
    /// - Parameters:
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    ///   - evidence: what is attached about its validation.
    ///   - provenance: what a conversion states about its weights; nil if nothing does.
    ///   - registry: the address of the registry; it is left out unless it is one of HTTP.
    ///   - created: the time of the document.
    ///   - program: the version of this program.
    public init(
        of record: ReleaseRecord,
        _ digest: ContentDigest,
        evidence: AttachedEvidence,
        provenance: ConversionProvenance?,
        registry: String?,
        created: Timestamp,
        program: String
    ) {
        self.record = record
        self.digest = digest
        self.evidence = evidence
        self.provenance = provenance
        self.registry = registry.flatMap { $0.hasPrefix("http") ? $0 : nil }
        self.created = created
        self.program = program
    }

    /// The document.
    public func document(as format: Format) -> JSONValue {
        switch format {
        case .cyclonedx: cycloneDX
        case .spdx: spdx
        }
    }

    /// The package URL of the release (package-url/purl-spec, type `oci`).
    var packageURL: String {
        let name = record.name.description.split(separator: "/").last.map { String($0) } ?? ""
        return "pkg:oci/\(name)@sha256%3A\(digest.hex)"
    }

    /// Every claim of the record, with what the evidence measured.
    var claims: [ClaimComparison] { evidence.claims(of: record) }

    /// The data sets of the claims, each once, in the order of the claims.
    var dataSets: [(name: String, digest: ContentDigest?)] {
        var seen: Set<String> = []
        return record.evaluation.filter { seen.insert($0.dataset).inserted }
            .map { ($0.dataset, $0.datasetDigest) }
    }

    /// The licence, if it is an SPDX expression.
    var licenceExpression: String? {
        (try? LicenceExpression(parsing: record.licence)) == nil || record.licence == "unknown"
            ? nil : record.licence
    }

    /// The state of the evidence in a sentence; signatures are not checked here.
    var evidenceText: String {
        let counts = ClaimCounts(claims)
        let decision =
            switch evidence.decision {
            case .validated(let evidence):
                "validated \(evidence.created) by ami-zoo \(evidence.program): \(counts.text); no signature "
                    + "was checked"
            case .failed(_, let error): "failed: \(error.message)"
            case .unvalidated(let waiver):
                "not validated: \(waiver.reason): \(counts.unmeasuredText)"
            case .invalid(let error): "invalid: \(error.message): \(counts.unmeasuredText)"
            case .absent: "none: \(counts.unmeasuredText)"
            }
        let unread = evidence.unreadable.count
        return unread == 0
            ? decision : "\(decision); other attachments that cannot be read: \(unread)"
    }

    /// The files that the weights were made from: those that a conversion read, else what the record says.
    var ancestors: [(name: String, url: String?, digest: ContentDigest?)] {
        if let provenance { return provenance.sources.map { ($0.name, $0.uri, $0.digest) } }
        guard case .object(let upstream)? = record.lineage.details["upstream"] else { return [] }
        func text(_ name: String) -> String? {
            if case .string(let text)? = upstream[name] { text } else { nil }
        }
        let digest = text("sha256").flatMap { try? ContentDigest(hex: $0) }
        guard let name = text("file") ?? text("url") else { return [] }
        return [(name, text("url"), digest)]
    }
}

extension ClaimComparison {
    /// The claimed value with its unit.
    var claimedText: String { "\(claim.value) \(claim.unit)" }

    /// How the value was obtained.
    var originText: String {
        let measured = measured.map { ", measured again as \($0)" } ?? ""
        return "\(claim.direction.rawValue) is better; \(outcome.words)\(measured)"
    }
}
