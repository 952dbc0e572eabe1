// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A project's lock file, which names the exact releases that the project uses.
///
/// ```
/// {"format": "ami-zoo.lock/1",
///  "models": {"ami/ball-drop": {"version": "1.0.0", "digest": "sha256:…", "registry": "https://…"}}}
/// ```
/// Only the digest decides what is installed. The registry says where the release was found.
package struct ProjectLock: Sendable, Equatable {
    /// The name of the lock file, which belongs into version control.
    package static let fileName = "ami-zoo.lock"
    private static let format = "ami-zoo.lock/1"
    private static let limit = 16 << 20
    private static let maximum = 10_000

    /// One locked release.
    package struct Entry: Sendable, Equatable {
        /// The version.
        package let version: SemanticVersion
        /// The digest of the manifest.
        package let digest: ContentDigest
        /// The address of the registry.
        package let registry: String

        /// Creates an entry.
        package init(version: SemanticVersion, digest: ContentDigest, registry: String) {
            self.version = version
            self.digest = digest
            self.registry = registry
        }
    }

    /// The releases by the name of the model.
    package var entries: [ModelName: Entry] = [:]

    /// Creates an empty lock.
    package init() {}

    /// Reads a lock file.
    ///
    /// - Throws: ``ZooError`` with code `lock.missing`, or a `json.*`, `format.*` or `io.*` code.
    package init(path: String) throws(ZooError) {
        let bytes: [UInt8]
        do throws(ZooError) {
            bytes = try FileSystem.document(path, limit: Self.limit, followingLinks: true)
        } catch  where error.code == .fileMissing {
            throw ZooError(
                .lockMissing,
                "there is no lock file at '\(path)'",
                remedy: "run 'ami-zoo lock REFERENCE…' to write it"
            )
        }
        // Not necessarily canonical, because people merge lock files.
        let limits = JSONValue.Limits(bytes: Self.limit, depth: 8, values: 100_000)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits), at: "")
        try object.requireFormat(Self.format)
        let models = try object.object("models")
        guard models.members.count <= Self.maximum else {
            throw object.invalid("models", "has more than \(Self.maximum) members")
        }
        for key in models.members.keys.sorted() {
            let entry = try models.object(key)
            guard let name = try? ModelName(parsing: key) else {
                throw models.invalid(key, "is not the name of a model")
            }
            guard let version = try? SemanticVersion(parsing: try entry.string("version")) else {
                throw entry.invalid("version", "is not a version")
            }
            entries[name] = Entry(
                version: version,
                digest: try entry.digest("digest"),
                registry: try entry.string("registry", maximum: 4096)
            )
        }
    }

    /// The stored form.
    package var canonicalBytes: [UInt8] {
        let models = entries.map { name, entry in
            (
                name.description,
                [
                    "version": .string(entry.version.description),
                    "digest": .string(entry.digest.description),
                    "registry": .string(entry.registry),
                ] as JSONValue
            )
        }
        let document: JSONValue = [
            "format": .string(Self.format),
            "models": .object(Dictionary(uniqueKeysWithValues: models)),
        ]
        return document.canonicalBytes
    }

    /// Writes the lock file atomically.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(to path: String) throws(ZooError) {
        try FileSystem.writeAtomically(path, canonicalBytes)
    }

    /// The locked release that a reference means.
    ///
    /// - Throws: ``ZooError`` with code `lock.model-missing` when the model is not locked, or
    ///   `lock.conflict` when another version or digest is.
    package func entry(for reference: ModelReference) throws(ZooError) -> Entry {
        guard let entry = entries[reference.name] else {
            throw ZooError(
                .lockModelMissing,
                "'\(Self.fileName)' has no model '\(reference.name)'",
                remedy: "run 'ami-zoo lock \(reference)' to add it"
            )
        }
        var isMeant = reference.digest.map { $0 == entry.digest } ?? true
        if case .version(let version) = reference.selector {
            isMeant = isMeant && version == entry.version
        }
        guard isMeant else {
            throw ZooError(
                .lockConflict,
                "'\(Self.fileName)' has '\(reference.name):\(entry.version)' (\(entry.digest)), and "
                    + "'\(reference)' is something else",
                remedy: "leave the version out, or run 'ami-zoo lock \(reference)' to change it"
            )
        }
        return entry
    }
}

extension ZooError.Code {
    /// There is no lock file.
    package static let lockMissing = Self("lock.missing", .notFound)
    /// A lock file does not have the model.
    package static let lockModelMissing = Self("lock.model-missing", .notFound)
    /// A lock file has another version or digest than was requested.
    package static let lockConflict = Self("lock.conflict", .usage)
}
