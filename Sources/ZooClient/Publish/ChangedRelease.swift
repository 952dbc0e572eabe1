// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
package import ZooRegistry

/// A version in a registry folder that a command changes.
package struct ChangedRelease: Sendable {
    /// The registry folder.
    package let root: String
    /// The reference with an exact version.
    package let reference: ModelReference
    /// The version.
    package let version: SemanticVersion
    private let digest: ContentDigest?

    /// The model or data set.
    package var name: ModelName { reference.name }

    /// Parses the arguments of a command.
    ///
    /// - Parameters:
    ///   - text: the reference.
    ///   - address: the registry that the user gave; nil for none.
    ///   - environment: says which registry is meant if none is given.
    /// - Throws: ``ZooError`` with code `reference.version-required` when the reference has no exact
    ///   version, `registry.folder-required`, or the code of a malformed argument.
    package init(
        _ text: String,
        registry address: String?,
        in environment: UserEnvironment
    ) throws(ZooError) {
        let parsed = try ModelReference(parsing: text)
        guard case .version(let version) = parsed.selector else {
            throw ZooError(
                .versionRequired,
                "'\(text)' has no exact version, and this command changes exactly one",
                remedy: "write '\(parsed.name):VERSION'; 'ami-zoo versions \(parsed.name)' shows "
                    + "them"
            )
        }
        root = try environment.registryFolder(address, host: parsed.host)
        self.version = version
        reference = ModelReference(name: parsed.name, selector: .version(version))
        digest = parsed.digest
    }

    /// The current time.
    package static var now: Timestamp { Timestamp(secondsSince1970: Clock.seconds()) }

    /// Checks the digest of the reference, if it has one, then changes the folder.
    ///
    /// - Parameter body: the change; blocks.
    /// - Returns: the version, the new index document, and its entry of the version.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`, or what `body` throws.
    package func change(
        _ body:
            @escaping @Sendable (
                RegistryFolder, ChangedRelease, Cancellation
            ) throws -> IndexDocument
    ) async throws -> (
        release: ChangedRelease, index: IndexDocument, entry: IndexDocument.Entry
    ) {
        try await BlockingWork.run { cancellation in
            let folder = try RegistryFolder(opening: root)
            try requireDigest(folder)
            let index = try body(folder, self, cancellation)
            guard let entry = index.entry(for: .version(version)) else {
                preconditionFailure("the change removed \(reference)")
            }
            return (self, index, entry)
        }
    }

    /// Checks the digest of the reference; a version that does not exist is for the change to report.
    ///
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`.
    package func requireDigest(_ folder: RegistryFolder) throws(ZooError) {
        guard let digest,
            let found = try folder.documents.index(of: name)?.entry(for: .version(version)),
            found.digest != digest
        else { return }
        throw ZooError(
            .registryMismatch,
            "'\(reference)' has digest \(found.digest) in '\(root)', and the reference requires "
                + "\(digest)",
            remedy: "check which release is meant; nothing was changed"
        )
    }
}
