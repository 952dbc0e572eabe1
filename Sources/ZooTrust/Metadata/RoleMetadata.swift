// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The part of a metadata document that is signed.
package protocol RoleMetadata: Sendable {
    /// The value of `_type`.
    static var type: String { get }
    /// The fields that all roles have.
    var header: MetadataHeader { get }
    /// Reads the signed object.
    init(_ signed: JSONObject) throws(ZooError)
}

/// The fields that the metadata of all roles has.
package struct MetadataHeader: Hashable, Sendable {
    /// The version, at least 1.
    package let version: Int
    /// The time from which on the metadata is expired.
    package let expires: Timestamp

    /// Reads the common fields of a signed object.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`, also for another type or another
    ///   major version of the specification.
    init(_ signed: JSONObject, type: String) throws(ZooError) {
        let found = try signed.string("_type")
        guard found == type else { throw signed.invalid("_type", "is '\(found)', not '\(type)'") }
        let specification = try signed.string("spec_version")
        let parts = specification.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ Int($0) != nil }), parts[0] == "1"
        else { throw signed.invalid("spec_version", "is '\(specification)', and must be 1.x.y") }
        version = try signed.integer("version", in: 1...JSONValue.largestInteger)
        let text = try signed.string("expires")
        guard let time = Timestamp(parsing: text) else {
            throw signed.invalid("expires", "is '\(text)', and must be YYYY-MM-DDTHH:MM:SSZ")
        }
        expires = time
    }
}
