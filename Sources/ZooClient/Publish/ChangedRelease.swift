// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The version that a command changes.
package struct ChangedRelease: Sendable {
    /// The reference with an exact version.
    package let reference: ModelReference
    /// The version.
    package let version: SemanticVersion
    /// The digest that the version must have; nil for any.
    package let digest: ContentDigest?
    /// The host in the reference; nil without one.
    package let host: String?

    /// The model or data set.
    package var name: ModelName { reference.name }

    /// Parses the argument of a command.
    ///
    /// - Parameter text: the reference.
    /// - Throws: ``ZooError`` with code `reference.version-required` when the reference has no exact
    ///   version, or `reference.malformed`.
    package init(_ text: String) throws(ZooError) {
        let parsed = try ModelReference(parsing: text)
        guard case .version(let version) = parsed.selector else {
            throw ZooError(
                .versionRequired,
                "'\(text)' has no exact version, and this command changes exactly one",
                remedy: "write '\(parsed.name):VERSION'; 'ami-zoo versions \(parsed.name)' shows "
                    + "them"
            )
        }
        self.version = version
        reference = ModelReference(name: parsed.name, selector: .version(version))
        digest = parsed.digest
        host = parsed.host
    }
}
