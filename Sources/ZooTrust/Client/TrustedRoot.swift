// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

// The steps of the client workflow (specification 5.3 to 5.6) without input and output. Each step is
// a type that only the step before can make, so that no check can be left out or done out of order.

/// Root metadata that is trusted: the anchor, or what it was rotated to.
package struct TrustedRoot: Sendable {
    /// The root metadata; it may be expired.
    package let root: Verified<RootMetadata>
    /// The time at which the update started; all expiry dates are compared with it.
    package let now: Timestamp

    private init(root: Verified<RootMetadata>, now: Timestamp) {
        self.root = root
        self.now = now
    }

    /// Trusts root metadata that the user or an earlier update vouches for.
    ///
    /// - Parameters:
    ///   - anchor: the document.
    ///   - now: the time at which the update starts.
    /// - Throws: ``ZooError`` with code `trust.signatures-missing` if it is not signed by a threshold
    ///   of its own keys, or what ``SignedDocument/init(parsing:)`` throws.
    package init(anchor: [UInt8], now: Timestamp) throws(ZooError) {
        root = try SignedDocument<RootMetadata>(parsing: anchor).verifiedByItself()
        self.now = now
    }

    /// The next version of the root metadata.
    ///
    /// - Parameter bytes: the document, which a threshold of the keys of this version and a
    ///   threshold of its own keys must have signed.
    /// - Returns: the next version, trusted.
    /// - Throws: ``ZooError`` with code `trust.signatures-missing` or `trust.version-mismatch`, or
    ///   what ``SignedDocument/init(parsing:)`` throws.
    package func rotated(to bytes: [UInt8]) throws(ZooError) -> TrustedRoot {
        let document = try SignedDocument<RootMetadata>(parsing: bytes)
        _ = try document.verified(as: .root, by: root.content.root)
        let next = try document.verifiedByItself()
        guard next.version == root.version + 1 else {
            throw .version(of: .root, next.version, expected: root.version + 1)
        }
        return TrustedRoot(root: next, now: now)
    }

    /// Whether a later root no longer trusts a key of this one for the timestamp or the snapshot.
    ///
    /// The versions that the revoked key signed may have been raised so that no honest version
    /// could follow (a fast-forward attack), so they must not be compared with (5.3.11).
    package func isRevoked(by later: TrustedRoot) -> Bool {
        func lost(_ role: (RootMetadata) -> RoleKeys) -> Bool {
            let kept = Set(role(later.root.content).keys.values)
            return !kept.isSuperset(of: role(root.content).keys.values)
        }
        return lost(\.timestamp) || lost(\.snapshot)
    }

    /// Takes this version as the last one.
    ///
    /// - Throws: ``ZooError`` with code `trust.expired`.
    package func concluded() throws(ZooError) -> CurrentRoot {
        try root.requireCurrent(at: now)
        return CurrentRoot(root: root, now: now)
    }
}

extension ZooError {
    static func version(of role: RoleName, _ found: Int, expected: Int) -> ZooError {
        ZooError(
            .trustVersion,
            "the metadata '\(role)' has version \(found), not \(expected)",
            remedy: "run the command again; if the error persists, report it to the registry's "
                + "owner"
        )
    }

    static func rollback(_ what: String, _ found: Int, trusted: Int) -> ZooError {
        ZooError(
            .trustRollback,
            "\(what) has version \(found); this machine has already trusted version \(trusted)",
            remedy: "run the command again; if the error persists, the registry serves old "
                + "content: report it to its owner"
        )
    }
}
