// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// What a verification holds a release against: where the digest of its manifest comes from.
package struct VerificationAnchor: Sendable, Equatable {
    /// The kinds of origin of a digest.
    package enum Kind: String, Sendable {
        /// The user gave it.
        case requested
        /// A registry lists it for the release's name and version.
        case registry
        /// The store recorded it, outside the folder, when it installed the release.
        case store
        /// It is computed from the folder's own manifest: the folder is complete, and its origin is
        /// unknown.
        case folder
    }

    /// Where the digest comes from.
    package let kind: Kind
    /// The digest that the manifest must have.
    package let digest: ContentDigest
    /// The reference, address or path that gave the digest.
    package let source: String
    /// What the store recorded, when it is the anchor.
    package let receipt: StoreReceipt?

    /// An anchor.
    package init(_ kind: Kind, _ digest: ContentDigest, source: String) {
        self.kind = kind
        self.digest = digest
        self.source = source
        receipt = nil
    }

    /// The receipt of a store.
    package init(_ receipt: StoreReceipt, source: String) {
        kind = .store
        digest = receipt.digest
        self.source = source
        self.receipt = receipt
    }

    /// The documented fields.
    package var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "digest": .string(digest.description),
            "source": .string(source),
        ]
    }
}

/// Collects everything that vouches for the manifest of a release.
package struct AnchorSearch: Sendable {
    /// A digest that the user gave, and where: an option, or a reference.
    package var requested: VerificationAnchor?
    /// A registry that the user named.
    package var registry: Registry?
    /// The local store.
    package let store: ModelStore

    /// A search that looks into a store.
    package init(store: ModelStore) { self.store = store }

    /// Every anchor there is, the strongest first; the last is the folder itself.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found` or `registry.version-not-found` when
    ///   the named registry does not have the release, or what reading it throws.
    package func anchors(of release: InstalledRelease) async throws -> [VerificationAnchor] {
        var anchors = [requested].compactMap(\.self)
        if let registry {
            let entry = try await registry.entry(for: release.reference)
            anchors.append(
                VerificationAnchor(.registry, entry.digest, source: registry.source.address)
            )
        }
        let store = store
        if let receipt = try await BlockingWork.run({ _ in try store.receipt(of: release.folder) })
        {
            anchors.append(VerificationAnchor(receipt, source: store.root))
        }
        anchors.append(
            VerificationAnchor(.folder, release.digest, source: release.manifestPath)
        )
        return anchors
    }
}
