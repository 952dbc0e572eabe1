// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTrust

extension Registry {
    /// The root metadata with which a registry says that trust in it begins; nothing proves that yet.
    ///
    /// - Throws: ``ZooError`` with code `trust.not-signed` when the registry has none,
    ///   `registry.digest-mismatch` when it is not what `zoo.json` says, or the error of the source.
    package func firstRoot() async throws -> [UInt8] {
        guard let trust = try await description().trust else {
            throw ZooError(
                .trustAbsent,
                "\(source.address) is not signed",
                remedy: "ask its owner for the address of the signed registry"
            )
        }
        let document = RegistryDocument.signed(trust.path, limit: MetadataLimits().root)
        guard case .fetched(let bytes, _) = try await source.document(document, entityTag: nil),
            ContentDigest(of: bytes) == trust.digest
        else {
            throw ZooError(
                .registryMismatch,
                "'\(trust.path)' of \(source.address) is not the root that its zoo.json names",
                remedy: "report it to the registry's owner"
            )
        }
        return bytes
    }
}
