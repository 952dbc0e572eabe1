// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTrust

/// What became of a change of the metadata of a registry.
package struct TrustOutcome: Sendable {
    /// A document that needs more signatures.
    package struct Missing: Sendable {
        /// The role.
        package let role: String
        /// The file to sign.
        package let path: String
        /// How many keys signed it.
        package let signatures: Int
        /// How many must.
        package let threshold: Int
    }

    /// What needs more signatures; empty when the change is done.
    package let missing: [Missing]
    /// The state of the registry; nil when it is not signed yet.
    package let state: RepositoryState?

    /// The digest of the first root, by which clients recognise the registry; nil when it is not signed yet.
    package let fingerprint: ContentDigest?
}

/// The keys that a role is to have.
package struct RolePlan: Sendable {
    let keys: [VerificationKey]
    let threshold: Int

    /// Plans a role.
    package init(keys: [VerificationKey], threshold: Int) {
        self.keys = keys
        self.threshold = threshold
    }

    func roleKeys() throws(ZooError) -> RoleKeys { try RoleKeys(keys, threshold: threshold) }
}
