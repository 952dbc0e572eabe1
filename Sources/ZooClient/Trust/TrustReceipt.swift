// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore
internal import ZooTrust

/// What a pull trusted, kept outside the model folder: the index document, the metadata that proved that it was
/// current, and the time.
///
/// ```
/// pull.json               format, registry, target, time
/// index.json              the index document
/// tuf/<role>.json         the metadata of each role
/// ```
package struct TrustReceipt: Sendable {
    private static let format = "ami-zoo.trust-receipt/1"

    /// The address of the registry.
    package let registry: String
    private let proof: IndexProof

    /// Takes what a registry proved.
    init(registry: String, _ proof: IndexProof) {
        self.registry = registry
        self.proof = proof
    }

    /// When it was proved.
    package var time: Timestamp { proof.proof.time }

    /// Reads a receipt; nil when there is none.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*`, `trust.*` or `io.*` code.
    package init?(in folder: String) throws(ZooError) {
        guard try FileSystem.status("\(folder)/pull.json") != nil else { return nil }
        let object = try JSONObject(
            try JSONValue(canonical: try FileSystem.document("\(folder)/pull.json", limit: 1 << 16))
        )
        try object.requireFormat(Self.format)
        let text = try object.string("time")
        guard let time = Timestamp(parsing: text) else {
            throw object.invalid("time", "is '\(text)', which is not a time")
        }
        var documents: [RoleName: [UInt8]] = [:]
        for file in try FileSystem.names(in: "\(folder)/tuf") where file.hasSuffix(".json") {
            documents[try RoleName(fileName: file)] = try FileSystem.document(
                "\(folder)/tuf/\(file)",
                limit: 16 << 20
            )
        }
        registry = try object.string("registry", maximum: 4096)
        proof = IndexProof(
            index: try FileSystem.document(
                "\(folder)/index.json",
                limit: FormatLimits.indexDocument
            ),
            proof: TargetProof(
                target: try object.string("target", maximum: 1024),
                time: time,
                documents: documents
            )
        )
    }

    /// Writes the receipt; replaces an older one.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(to folder: String) throws(ZooError) {
        // Without this document there is no receipt.
        try FileSystem.remove("\(folder)/pull.json")
        try FileSystem.remove("\(folder)/tuf")
        try FileSystem.createFolder("\(folder)/tuf")
        for (role, bytes) in proof.proof.documents {
            try FileSystem.writeAtomically("\(folder)/tuf/\(role.fileName())", bytes)
        }
        try FileSystem.writeAtomically("\(folder)/index.json", proof.index)
        let document: JSONValue = [
            "format": .string(Self.format), "registry": .string(registry),
            "target": .string(proof.proof.target), "time": .string(time.text),
        ]
        try FileSystem.writeAtomically("\(folder)/pull.json", document.canonicalBytes)
    }

    /// Whether the root metadata of the receipt is one that the machine trusts: the one that the user trusted first, or
    /// one that a threshold of the keys of the root that is trusted now signed.
    ///
    /// A root between them whose keys were all replaced since is not known to be of the registry.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*`, `trust.*` or `io.*` code when either root cannot be read.
    func isRooted(in entry: TrustedRegistries.Entry) throws(ZooError) -> Bool {
        let kept = proof.proof.documents[.root] ?? []
        if ContentDigest(of: kept) == entry.fingerprint { return true }
        let trusted = try entry.metadata.trustedRoot()
        do throws(ZooError) {
            _ = try SignedDocument<RootMetadata>(parsing: kept)
                .verified(as: .root, by: trusted.content.root)
            return true
        } catch {
            guard error.code == .trustSignatures else { throw error }
            return false
        }
    }

    /// Checks that the release was the one that the registry listed, with metadata that was valid.
    ///
    /// - Parameters:
    ///   - release: the release.
    ///   - now: the time with which expiry dates are compared; nil for that of the pull.
    /// - Returns: the digest that the signed index document lists for the release.
    /// - Throws: ``ZooError`` with code `trust.expired`, `registry.version-not-found`, or another code of the
    ///   metadata or the document.
    package func digest(
        of release: InstalledRelease,
        at now: Timestamp? = nil
    ) throws(ZooError) -> ContentDigest {
        let target = try proof.proof.verified(at: now ?? time)
        try target.require(proof.index)
        let index = try IndexDocument(canonical: proof.index)
        guard index.name == release.record.name,
            let entry = index.entry(for: .version(release.record.version))
        else {
            throw ZooError(
                .versionUnknown,
                "what the pull kept does not list \(release.reference)",
                remedy: "pull the release again"
            )
        }
        return entry.digest
    }
}
