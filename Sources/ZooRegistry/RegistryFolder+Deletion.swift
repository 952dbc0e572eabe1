// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Deletes a version: logs it, then changes the index document, then the derived documents.
    ///
    /// Collection removes its blobs. Calling it again completes an interrupted deletion.
    ///
    /// - Parameters:
    ///   - name: the model or data set; its index document goes with the last version.
    ///   - version: the version.
    ///   - date: the current time.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the digest of the deleted release.
    /// - Throws: ``ZooError`` with code `registry.version-not-found` or `io.*`; `CancellationError`.
    package func delete(
        _ name: ModelName,
        _ version: SemanticVersion,
        at date: Timestamp,
        _ cancellation: Cancellation
    ) throws -> ContentDigest {
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        let digest = try removeVersion(name, version, date, cancellation)
        try unlist(name, version, cancellation)
        try updateCatalogue([name], cancellation)
        return digest
    }

    private func removeVersion(
        _ name: ModelName,
        _ version: SemanticVersion,
        _ date: Timestamp,
        _ cancellation: Cancellation
    ) throws -> ContentDigest {
        let writer = try IndexWriter(self, name, cancellation)
        defer { withExtendedLifetime(writer) {} }
        let log = try documents.deletions(of: name)
        let logged = log.last { $0.version == version }?.digest
        guard let index = writer.current, let entry = index.entry(for: .version(version)) else {
            guard let logged else { throw ZooError(unknown: version, of: name, in: root) }
            return logged
        }
        // Without it the log would say of a version that stays that it was deleted.
        try writer.requireSigner()
        if logged != entry.digest {
            let deletion = Deletion(
                name: name,
                version: version,
                digest: entry.digest,
                date: date
            )
            try write(log + [deletion], of: name)
        }
        let kept = index.entries.filter { $0.version != version }
        if kept.isEmpty {
            try writer.remove()
        } else {
            let channels = index.channels.mapValues { $0.subtracting([version]) }
            try writer.replace(with: try index.with(kept, channels.filter { !$0.value.isEmpty }))
        }
        return entry.digest
    }

    private func write(_ log: [Deletion], of name: ModelName) throws(ZooError) {
        let path = "\(root)/\(RegistryLayout.deletions(name))"
        try FileSystem.createFolder(FileSystem.parent(of: path))
        // As a whole, so that a crash leaves no half line.
        try FileSystem.writeAtomically(
            path,
            log.flatMap { $0.line + [UInt8(ascii: "\n")] }
        )
    }

    /// Removes a version from `index.json` unless it is published.
    private func unlist(
        _ name: ModelName,
        _ version: SemanticVersion,
        _ cancellation: Cancellation
    ) throws {
        let writing = try locks.lock(.imageIndex, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        guard let old = try documents.imageIndex(),
            // Published again in the meantime.
            try documents.index(of: name)?.entry(for: .version(version)) == nil
        else { return }
        let new = try old.removing { entry in entry.name == name && entry.version == version }
        guard new.entries.count < old.entries.count else { return }
        try FileSystem.writeAtomically("\(root)/\(RegistryLayout.imageIndex)", new.canonicalBytes)
    }

    /// Refuses other content under the name of a deleted version, which somebody may still use.
    func refuseDeleted(_ release: CheckedRelease) throws(ZooError) {
        let record = release.record
        guard
            let deleted = try documents.deletions(of: record.name)
                .last(where: { $0.version == record.version }),
            deleted.digest != release.digest
        else { return }
        throw ZooError(
            .versionTaken,
            "'\(record.name):\(record.version)' was deleted at \(deleted.date), and had different "
                + "content (\(deleted.digest))",
            remedy: "versions are immutable; use a new version"
        )
    }
}
