// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// The folder to repair and what is known about the release to restore.
///
/// In the store the path of the folder and the receipt state the release. Elsewhere only the documents
/// of the folder do, and they can be damaged: each states a part, and the registry decides whether the
/// parts belong to one release.
package struct RepairTarget: Sendable {
    /// The components that were fetched.
    enum Portion: Sendable {
        /// These; nil for the whole release.
        case known(Set<String>?)
        /// Those with files in the folder, because no document states it.
        case present
    }

    /// The model folder.
    package let folder: String
    /// The name and version; nil if no document states them.
    let named: ModelReference?
    /// The digest of the manifest; nil if it is unknown.
    let digest: ContentDigest?
    /// The first twelve digits of the digest, from the path in the store.
    let shortDigest: String?
    /// The digest of the record in the folder; nil if it cannot be read.
    let recordDigest: ContentDigest?
    private let portion: Portion

    /// Reads what the path, the store's receipt and the documents of the folder state.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - reference: the reference that the user passed; nil for a folder.
    ///   - store: the local store.
    /// - Throws: ``ZooError`` with code `store.not-a-release` or `store.receipt-mismatch` when nothing
    ///   identifies a release.
    package init(
        folder: String,
        reference: ModelReference?,
        in store: ModelStore
    ) throws(ZooError) {
        self.folder = folder
        if let identity = store.identity(of: folder) {
            // Ignore an unreadable receipt; the repair writes it again.
            let receipt = (try? store.receipt(of: folder)).flatMap(\.self)
            digest = reference?.digest ?? receipt?.digest
            // A receipt that was changed must not lead to another release.
            if let digest, digest.short != identity.shortDigest {
                throw ZooError(
                    .receiptMismatch,
                    "the folder '\(folder)' is not one of the release \(digest)",
                    remedy: "remove the folder and pull the release again"
                )
            }
            named = ModelReference(name: identity.name, selector: .version(identity.version))
            shortDigest = identity.shortDigest
            portion = .known(identity.components)
            recordDigest = nil
            return
        }
        let receipts = "\(folder)/\(InstalledRelease.receiptFolder)"
        let manifest = try? FileSystem.document(
            "\(receipts)/manifest.json",
            limit: FormatLimits.manifest
        )
        digest = manifest.flatMap { bytes in
            (try? ReleaseManifest(canonical: bytes)).map { _ in ContentDigest(of: bytes) }
        }
        let record = try? FileSystem.document("\(receipts)/record.json", limit: FormatLimits.record)
        recordDigest = record.map { ContentDigest(of: $0) }
        named = record.flatMap(Self.reference)
        shortDigest = nil
        portion = (try? InstallClaim(folder: folder)).map { .known($0.components) } ?? .present
        guard digest != nil || named != nil else {
            throw ZooError(
                .notARelease,
                "no document in '\(folder)' states a release",
                remedy: "pull the release into another folder with 'ami-zoo pull'"
            )
        }
    }

    /// The name and version in a record, which may be damaged elsewhere.
    private static func reference(in record: [UInt8]) -> ModelReference? {
        guard let value = try? JSONValue(parsing: record),
            let object = try? JSONObject(value, at: ""),
            let text = try? object.string("name"), let name = try? ModelName(parsing: text),
            let number = try? object.string("version"),
            let version = try? SemanticVersion(parsing: number)
        else { return nil }
        return ModelReference(name: name, selector: .version(version))
    }

    /// The components to restore; nil for the whole release.
    ///
    /// Blocking.
    func components(of record: any ArchivedRecord) throws(ZooError) -> Set<String>? {
        let names = Set(record.components.map(\.name))
        if case .known(let components) = portion {
            guard let components else { return nil }
            // Only the components of the record count.
            if !components.isEmpty, components.isSubset(of: names) { return components }
        }
        var present: Set<String> = []
        for component in record.components {
            for path in component.files
            where try FileSystem.status("\(folder)/\(path)")?.kind == .file {
                present.insert(component.name)
            }
        }
        return present == names || present.isEmpty ? nil : present
    }
}

extension Registry {
    /// Finds the release to restore, and checks it against all that is known about it.
    ///
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch` when the registry has another release
    ///   under that name, or as ``resolve(_:)``.
    func resolve(_ target: RepairTarget) async throws -> RemoteRelease {
        guard let named = target.named else { return try await resolve(searching: target) }
        let release: RemoteRelease
        do {
            release = try await resolve(named)
        } catch let error as ZooError
            where error.code.category == .notFound && target.shortDigest == nil
        {
            // The name in the record may be what is damaged.
            return try await resolve(searching: target)
        }
        if let short = target.shortDigest {
            guard release.digest.short == short, release.digest == target.digest ?? release.digest
            else { throw mismatch(target, release) }
            return release
        }
        // The manifest in the folder may be what is damaged; then the record, which states the digest
        // of every file, confirms the release.
        guard let digest = target.digest, digest != release.digest,
            target.recordDigest != release.manifest.record.digest
        else { return release }
        guard let found = try? await resolve(searching: target) else {
            throw mismatch(target, release)
        }
        return found
    }

    /// Searches all models of the registry for the digest of the manifest.
    private func resolve(searching target: RepairTarget) async throws -> RemoteRelease {
        if let digest = target.digest {
            for name in try await catalogue().map(\.name) {
                guard
                    let entry = try await index(of: name).entries.first(where: {
                        $0.digest == digest
                    })
                else { continue }
                return try await resolve(
                    ModelReference(name: name, selector: .version(entry.version), digest: digest)
                )
            }
        }
        throw ZooError(
            .versionUnknown,
            "\(source.address) has no release with the documents of '\(target.folder)'",
            remedy: "run \(RepairAdvice(target.folder, from: .unknown)), or pull the model into "
                + "another folder"
        )
    }

    private func mismatch(_ target: RepairTarget, _ release: RemoteRelease) -> ZooError {
        ZooError(
            .registryMismatch,
            "\(source.address) has digest \(release.digest) for '\(release.reference)', and the folder "
                + "has \(target.digest?.description ?? target.shortDigest ?? "another")",
            remedy: "run \(RepairAdvice(target.folder, from: .unknown)), or pull the model into "
                + "another folder"
        )
    }
}
