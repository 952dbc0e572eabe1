// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The keys and thresholds of the top-level roles (specification 4.3).
package struct RootMetadata: RoleMetadata {
    /// The value of `_type`.
    package static let type = "root"
    /// Version and expiry.
    package let header: MetadataHeader
    /// Whether names of metadata files contain versions, and names of targets hashes.
    package let consistentSnapshot: Bool
    /// The keys of the role root.
    package let root: RoleKeys
    /// The keys of the role timestamp.
    package let timestamp: RoleKeys
    /// The keys of the role snapshot.
    package let snapshot: RoleKeys
    /// The keys of the role targets.
    package let targets: RoleKeys

    /// Reads the signed object.
    package init(_ signed: JSONObject) throws(ZooError) {
        header = try MetadataHeader(signed, type: Self.type)
        consistentSnapshot = try signed.optionalBool("consistent_snapshot") ?? false
        let known = try RoleKeys.known(in: signed)
        let roles = try signed.object("roles")
        root = try RoleKeys(try roles.object("root"), known: known)
        timestamp = try RoleKeys(try roles.object("timestamp"), known: known)
        snapshot = try RoleKeys(try roles.object("snapshot"), known: known)
        targets = try RoleKeys(try roles.object("targets"), known: known)
    }
}
