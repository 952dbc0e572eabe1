// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The versions of all targets files of one state of a repository (specification 4.4).
package struct SnapshotMetadata: RoleMetadata {
    /// The value of `_type`.
    package static let type = "snapshot"
    /// Version and expiry.
    package let header: MetadataHeader
    /// What each metadata file must be, by role name with the ending `.json`.
    package let files: [ExactName: MetadataFile]

    /// Reads the signed object.
    package init(_ signed: JSONObject) throws(ZooError) {
        header = try MetadataHeader(signed, type: Self.type)
        files = Dictionary(
            uniqueKeysWithValues: try signed.mapMembers("meta") { _, file throws(ZooError) in
                try MetadataFile(file)
            }.map { (ExactName($0.name), $0.element) }
        )
    }

    /// What the file of a role must be; nil if the role is not part of this state.
    package func file(of role: RoleName) -> MetadataFile? { files[ExactName("\(role).json")] }
}

/// Which snapshot is current (specification 4.6).
package struct TimestampMetadata: RoleMetadata {
    /// The value of `_type`.
    package static let type = "timestamp"
    /// Version and expiry.
    package let header: MetadataHeader
    /// What the snapshot must be.
    package let snapshot: MetadataFile

    /// Reads the signed object.
    package init(_ signed: JSONObject) throws(ZooError) {
        header = try MetadataHeader(signed, type: Self.type)
        snapshot = try MetadataFile(try signed.object("meta").object("snapshot.json"))
    }
}
