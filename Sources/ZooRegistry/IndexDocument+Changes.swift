// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension IndexDocument {
    /// Returns this document with a change.
    ///
    /// A version that is already yanked gets the new reason; taking back a yank that does not exist
    /// changes nothing. A channel without versions is removed.
    ///
    /// - Parameters:
    ///   - change: the change; the reason of a yank is 1 to 1000 bytes in one line.
    ///   - date: the current time, the date of a yank.
    ///   - place: the registry, for messages and commands in remedies.
    /// - Returns: the new document, which equals this one when there is nothing to change.
    /// - Throws: ``ZooError`` with code `format.field-invalid`, `registry.version-not-found`, or
    ///   `registry.digest-mismatch` when the version has another digest.
    package func applying(
        _ change: IndexChange,
        at date: Timestamp,
        in place: String
    ) throws(ZooError) -> IndexDocument {
        if let version = change.version { try require(change.digest, of: version, in: place) }
        switch change.kind {
        case .yank(let version, let reason):
            let reason = try JSONObject(["reason": .string(reason)]).string(
                "reason",
                maximum: 1000
            )
            let entry = try entry(version, in: place)
            guard entry.yank?.reason != reason else { return self }
            return try changing(entry, yank: Yank(reason: reason, date: date))
        case .unyank(let version):
            return try changing(try entry(version, in: place), yank: nil)
        case .channel(let channel, let added, let removed):
            for version in added.union(removed).sorted() { _ = try entry(version, in: place) }
            let members = self.channels[channel, default: []].subtracting(removed).union(added)
            var channels = self.channels
            channels[channel] = members.isEmpty ? nil : members
            return try with(entries, channels)
        }
    }

    /// Checks the digest of a version; one that does not exist is for the change to report.
    func require(
        _ digest: ContentDigest?,
        of version: SemanticVersion,
        in place: String
    ) throws(ZooError) {
        guard let digest, let found = entry(for: .version(version)), found.digest != digest else {
            return
        }
        throw ZooError(
            .registryMismatch,
            "'\(name):\(version)' has digest \(found.digest) in '\(place)', and the reference "
                + "requires \(digest)",
            remedy: "check which release is meant; nothing was changed"
        )
    }

    private func entry(
        _ version: SemanticVersion,
        in place: String
    ) throws(ZooError) -> Entry {
        guard let entry = entry(for: .version(version)) else {
            throw ZooError(unknown: version, of: name, in: place)
        }
        return entry
    }

    private func changing(_ entry: Entry, yank: Yank?) throws(ZooError) -> IndexDocument {
        let changed = Entry(
            version: entry.version,
            digest: entry.digest,
            size: entry.size,
            created: entry.created,
            licence: entry.licence,
            yank: yank,
            attachments: entry.attachments,
            statedEvidence: entry.statedEvidence,
            unknownMembers: entry.unknownMembers
        )
        return try with(entries.map { $0.version == entry.version ? changed : $0 }, channels)
    }

    /// Returns this document with other versions and channels.
    package func with(
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

extension ZooError {
    /// The error for a version that a registry does not have.
    init(unknown version: SemanticVersion, of name: ModelName, in place: String) {
        self.init(
            .versionUnknown,
            "'\(place)' has no version \(version) of '\(name)'",
            remedy: "run 'ami-zoo versions \(name) --registry \(place)' to see the versions"
        )
    }
}
