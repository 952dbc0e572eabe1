// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooRegistry
package import ZooStore
internal import ZooTrust

/// The expected digest of a manifest and its origin.
package struct VerificationAnchor: Sendable, Equatable {
    /// The origin of an expected digest.
    package enum Kind: String, Sendable {
        /// The user provided the digest.
        case requested
        /// A registry lists the digest for the name and version of the release.
        case registry
        /// The signed metadata of a registry whose root this machine trusts lists it: now, or when the release was
        /// pulled.
        case tuf
        /// The store recorded the digest outside the folder when it installed the release.
        case store
        /// The digest is computed from the manifest in the folder, which proves that the folder is
        /// complete but not where it comes from.
        case folder
    }

    /// The origin of the digest.
    package let kind: Kind
    /// The expected digest of the manifest.
    package let digest: ContentDigest
    /// The reference, address or path that provided the digest.
    package let source: String
    /// The receipt of the store; nil for other origins.
    package let receipt: StoreReceipt?
    /// When signed metadata proved the digest, if that was at the pull; nil for other origins.
    package let provedAt: ProvedAt?
    /// Why the registry hides the version; nil if it does not, and for other origins.
    package let yank: IndexDocument.Yank?

    /// When a digest was proved by metadata that was kept.
    package struct ProvedAt: Sendable, Equatable {
        /// The time of the pull.
        package let time: Timestamp
        /// Whether the metadata has expired since.
        package let hasExpired: Bool
    }

    /// Creates an anchor.
    package init(
        _ kind: Kind,
        _ digest: ContentDigest,
        source: String,
        provedAt: ProvedAt? = nil,
        yank: IndexDocument.Yank? = nil
    ) {
        self.kind = kind
        self.digest = digest
        self.source = source
        self.provedAt = provedAt
        self.yank = yank
        receipt = nil
    }

    /// Creates an anchor from a receipt of the store.
    package init(_ receipt: StoreReceipt, source: String) {
        kind = .store
        digest = receipt.digest
        self.source = source
        self.receipt = receipt
        (provedAt, yank) = (nil, nil)
    }

    /// The JSON form.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "digest": .string(digest.description),
            "source": .string(source),
        ]
        if let provedAt {
            members["time"] = .string(provedAt.time.text)
            members["expired"] = .bool(provedAt.hasExpired)
        }
        return .object(members)
    }
}

/// The anchors of a release.
package struct AnchorList: Sendable {
    /// The anchors, strongest first; the last one is the folder.
    package let all: [VerificationAnchor]
    /// What is wrong with the receipt of the store.
    package let findings: [Finding]
}

/// Collects the anchors of a release.
package struct AnchorSearch: Sendable {
    /// The digests provided by the user, with their sources: an option, a reference; all must hold.
    package var requested: [VerificationAnchor] = []
    /// A registry chosen by the user.
    package var registry: Registry?
    /// The registry that commands read if no option names one; nil if none is configured.
    package var usualRegistry: String?
    /// The local store.
    package let store: ModelStore
    /// The current time.
    package var now = Timestamp(secondsSince1970: Clock.seconds())

    /// Creates a search with a store.
    package init(store: ModelStore) { self.store = store }

    /// Returns all anchors.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found` or `registry.version-not-found` when
    ///   the registry does not have the release, or the error of reading the registry.
    package func anchors(of release: InstalledRelease) async throws -> AnchorList {
        var anchors = requested
        var findings: [Finding] = []
        if let registry {
            let entry = try await registry.entry(for: release.reference)
            anchors.append(
                VerificationAnchor(
                    try registry.isSigned() ? .tuf : .registry,
                    entry.digest,
                    source: registry.source.address,
                    yank: entry.yank
                )
            )
        }
        let (kept, finding) = try await BlockingWork.run { _ in provedWhenPulled(release) }
        if let kept { anchors.append(kept) }
        if let finding { findings.append(finding) }
        let store = store
        if let path = store.receiptPath(of: release.folder) {
            let (receipt, finding) = try await BlockingWork.run { _ in
                read(path, of: release)
            }
            if let receipt { anchors.append(VerificationAnchor(receipt, source: store.root)) }
            if let finding { findings.append(finding) }
        }
        anchors.append(
            VerificationAnchor(.folder, release.digest, source: release.manifestPath)
        )
        return AnchorList(all: anchors, findings: findings)
    }

    /// The anchor of the metadata that the pull kept; nil when it kept none, and what is wrong with it.
    private func provedWhenPulled(
        _ release: InstalledRelease
    ) -> (VerificationAnchor?, Finding?) {
        guard let folder = store.trustPath(of: release.folder) else { return (nil, nil) }
        do throws(ZooError) {
            // Without the registry's root, what its metadata says proves nothing to this machine.
            guard let receipt = try TrustReceipt(in: folder), receipt.time <= now,
                let location = try? RegistryLocation(parsing: receipt.registry),
                let trusted = try TrustedRegistries(in: store).entry(for: location)
            else { return (nil, nil) }
            guard try receipt.isRooted(in: trusted) else {
                let finding = Finding(
                    .trustSignatures,
                    .warning,
                    path: "\(folder)/tuf/root.json",
                    message:
                        "what the pull kept does not count: its root metadata is neither what was trusted first "
                        + "for \(receipt.registry) nor signed by the keys of the root that is trusted now",
                    remedy:
                        "remove '\(folder)' to do without the proof; the next pull keeps a new one"
                )
                return (nil, finding)
            }
            let digest = try receipt.digest(of: release)
            let isValid = (try? receipt.digest(of: release, at: now)) != nil
            let anchor = VerificationAnchor(
                .tuf,
                digest,
                source: receipt.registry,
                provedAt: VerificationAnchor.ProvedAt(time: receipt.time, hasExpired: !isValid)
            )
            return (anchor, nil)
        } catch {
            let finding = Finding(
                error.code,
                path: folder,
                message: "what the pull kept does not prove that the release was current: "
                    + error.message,
                remedy:
                    "\(advice(for: release.folder)) checks the release; remove '\(folder)' to do "
                    + "without the proof"
            )
            return (nil, finding)
        }
    }

    /// The command that repairs a folder from the registry that it was fetched from.
    func advice(for folder: String) -> RepairAdvice {
        let recorded = (try? store.receipt(of: folder))??.registry
        guard let registry = recorded ?? InstallClaim.registry(in: folder) else {
            return RepairAdvice(folder, from: .unknown)
        }
        return RepairAdvice(folder, from: registry == usualRegistry ? .usual : .registry(registry))
    }

    private func read(
        _ path: String,
        of release: InstalledRelease
    ) -> (StoreReceipt?, Finding?) {
        let remedy = "\(advice(for: release.folder)) restores it"
        do throws(ZooError) {
            if let receipt = try store.receipt(of: release.folder) { return (receipt, nil) }
            let finding = Finding(
                .receiptMissing,
                .warning,
                path: path,
                message:
                    "the store has no receipt of '\(release.folder)': somebody removed it, or an "
                    + "ami-zoo that wrote none installed the model",
                remedy: remedy
            )
            return (nil, finding)
        } catch {
            let message = "the store's receipt cannot be read: \(error.message)"
            return (nil, Finding(error.code, path: path, message: message, remedy: remedy))
        }
    }
}
