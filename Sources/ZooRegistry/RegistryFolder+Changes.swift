// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Yanks a version: channels no longer resolve to it, exact references do, with the reason.
    ///
    /// A version that is already yanked gets the new reason.
    ///
    /// - Parameters:
    ///   - name: the model or data set.
    ///   - version: the version.
    ///   - reason: why, shown to everyone who asks for the version; 1 to 1000 bytes in one line.
    ///   - date: the current time.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the new index document.
    /// - Throws: ``ZooError`` with code `format.field-invalid`, `registry.model-not-found`,
    ///   `registry.version-not-found`, or `io.*`; `CancellationError`.
    @discardableResult
    package func yank(
        _ name: ModelName,
        _ version: SemanticVersion,
        reason: String,
        at date: Timestamp,
        _ cancellation: Cancellation
    ) throws -> IndexDocument {
        let reason = try JSONObject(["reason": .string(reason)]).string("reason", maximum: 1000)
        return try changeIndex(of: name, cancellation) { index in
            let entry = try entry(version, of: index)
            guard entry.yank?.reason != reason else { return index }
            return try index.changing(
                entry,
                yank: IndexDocument.Yank(reason: reason, date: date)
            )
        }
    }

    /// Takes back a yank; does nothing when the version is not yanked.
    ///
    /// - Returns: the new index document.
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, `registry.version-not-found`, or
    ///   `io.*`; `CancellationError`.
    @discardableResult
    package func unyank(
        _ name: ModelName,
        _ version: SemanticVersion,
        _ cancellation: Cancellation
    ) throws -> IndexDocument {
        try changeIndex(of: name, cancellation) { index in
            try index.changing(try entry(version, of: index), yank: nil)
        }
    }

    /// Changes the versions of a channel; a channel without versions is removed.
    ///
    /// - Parameters:
    ///   - name: the model or data set.
    ///   - channel: the channel, which need not exist.
    ///   - added: versions that the channel has afterwards.
    ///   - removed: versions that the channel does not have afterwards.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the new index document.
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, `registry.version-not-found`, or
    ///   `io.*`; `CancellationError`.
    @discardableResult
    package func changeChannel(
        _ name: ModelName,
        _ channel: ChannelName,
        adding added: Set<SemanticVersion>,
        removing removed: Set<SemanticVersion>,
        _ cancellation: Cancellation
    ) throws -> IndexDocument {
        try changeIndex(of: name, cancellation) { index in
            for version in added.union(removed).sorted() { _ = try entry(version, of: index) }
            let members = index.channels[channel, default: []].subtracting(removed).union(added)
            var channels = index.channels
            channels[channel] = members.isEmpty ? nil : members
            return try index.with(index.entries, channels)
        }
    }

    private func entry(
        _ version: SemanticVersion,
        of index: IndexDocument
    ) throws(ZooError) -> IndexDocument.Entry {
        guard let entry = index.entry(for: .version(version)) else {
            throw unknown(index.name, version)
        }
        return entry
    }

    private func unknown(_ name: ModelName, _ version: SemanticVersion) -> ZooError {
        ZooError(
            .versionUnknown,
            "'\(root)' has no version \(version) of '\(name)'",
            remedy: "run 'ami-zoo versions \(name) --registry \(root)' to see the versions"
        )
    }

    // MARK: Deleting

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
        let writing = try locks.lock(.index(name), .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        let log = try documents.deletions(of: name)
        let logged = log.last { $0.version == version }?.digest
        guard let index = try documents.index(of: name),
            let entry = index.entry(for: .version(version))
        else {
            guard let logged else { throw unknown(name, version) }
            return logged
        }
        if logged != entry.digest {
            let deletion = Deletion(
                name: name,
                version: version,
                digest: entry.digest,
                date: date
            )
            try write(log + [deletion], of: name)
        }
        let path = "\(root)/\(RegistryLayout.index(name))"
        let kept = index.entries.filter { $0.version != version }
        if kept.isEmpty {
            try FileSystem.remove(path)
            try FileSystem.synchronizeFolder(FileSystem.parent(of: path))
        } else {
            let channels = index.channels.mapValues { $0.subtracting([version]) }
            try write(try index.with(kept, channels.filter { !$0.value.isEmpty }))
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

extension IndexDocument {
    /// Returns this document with a version yanked, or not yanked.
    fileprivate func changing(_ entry: Entry, yank: Yank?) throws(ZooError) -> IndexDocument {
        let changed = Entry(
            version: entry.version,
            digest: entry.digest,
            size: entry.size,
            created: entry.created,
            licence: entry.licence,
            yank: yank,
            attachments: entry.attachments,
            unknownMembers: entry.unknownMembers
        )
        return try with(
            entries.map { $0.version == entry.version ? changed : $0 },
            channels
        )
    }

    fileprivate func with(
        _ entries: [Entry],
        _ channels: [ChannelName: Set<SemanticVersion>]
    ) throws(ZooError) -> IndexDocument {
        try IndexDocument(
            name: name,
            kind: kind,
            entries: entries,
            channels: channels,
            unknownMembers: unknownMembers
        )
    }
}
