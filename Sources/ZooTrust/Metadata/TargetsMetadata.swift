// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Target files and delegations to other roles (specification 4.5).
package struct TargetsMetadata: RoleMetadata {
    /// The value of `_type`.
    package static let type = "targets"
    /// Version and expiry.
    package let header: MetadataHeader
    /// The targets by path.
    package let targets: [ExactName: TargetFile]
    /// To whom the role delegates which paths.
    package let delegations: Delegations

    /// Reads the signed object.
    package init(_ signed: JSONObject) throws(ZooError) {
        header = try MetadataHeader(signed, type: Self.type)
        targets = Dictionary(
            uniqueKeysWithValues: try signed.mapMembers("targets") { path, file throws(ZooError) in
                try TargetFile(path, file)
            }.map { (ExactName($0.name), $0.element) }
        )
        delegations = try Delegations(try signed.optionalObject("delegations"))
    }
}
