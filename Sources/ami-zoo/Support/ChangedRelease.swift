// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// A version in a registry folder that a command changes.
struct ChangedRelease: Sendable {
    /// The registry folder.
    let root: String
    /// The reference with an exact version.
    let reference: ModelReference
    /// The version.
    let version: SemanticVersion
    private let digest: ContentDigest?

    /// The model or data set.
    var name: ModelName { reference.name }

    /// Parses the arguments of a command.
    ///
    /// - Throws: ``ZooError`` with code `reference.version-required` when the reference has no exact
    ///   version, `registry.folder-required`, or the code of a malformed argument.
    init(_ text: String, _ options: RegistryOptions) throws(ZooError) {
        let parsed = try ModelReference(parsing: text)
        guard case .version(let version) = parsed.selector else {
            throw ZooError(
                .versionRequired,
                "'\(text)' has no exact version, and this command changes exactly one",
                remedy: "write '\(parsed.name):VERSION'; 'ami-zoo versions \(parsed.name)' shows "
                    + "them"
            )
        }
        root = try Self.folder(options, host: parsed.host)
        self.version = version
        reference = ModelReference(name: parsed.name, selector: .version(version))
        digest = parsed.digest
    }

    /// The registry folder that a command changes.
    ///
    /// - Throws: ``ZooError`` with code `registry.folder-required`.
    static func folder(_ options: RegistryOptions, host: String?) throws(ZooError) -> String {
        let location = try Surroundings().registryLocation(options, host: host)
        guard case .folder(let root) = location else {
            throw ZooError(
                .folderRequired,
                "\(location) is not a folder, and this command changes registry folders only",
                remedy: "run it on the machine of the registry, with its folder after --registry"
            )
        }
        return root
    }

    /// The current time.
    static var now: Timestamp { Timestamp(secondsSince1970: Clock.seconds()) }

    /// Checks the digest of the reference, if it has one, then changes the folder.
    ///
    /// - Returns: the version, the new index document, and its entry of the version.
    func change(
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
    func requireDigest(_ folder: RegistryFolder) throws(ZooError) {
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

extension ZooError.Code {
    /// A command that changes one version was given a reference without a version.
    static let versionRequired = Self("reference.version-required", .usage)
    /// A command that changes a registry folder was given the address of a server.
    static let folderRequired = Self("registry.folder-required", .usage)
}
