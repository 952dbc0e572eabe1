// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension LogEntry.Event {
    /// The events that lead from one state of an index document to another, in the order of the log.
    ///
    /// - Parameters:
    ///   - old: the document before; nil for none.
    ///   - new: the document after; nil when it was removed.
    /// - Returns: the events; empty for equal documents.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when a version has another digest than
    ///   before.
    package static func changes(
        from old: IndexDocument?,
        to new: IndexDocument?
    ) throws(ZooError) -> [Self] {
        guard old != new else { return [] }
        let before = entries(of: old)
        let after = entries(of: new)
        var events: [Self] = []
        for (version, entry) in before.sorted(by: { $0.key < $1.key }) where after[version] == nil {
            events.append(.delete(LogEntry.Release(version, entry.digest)))
        }
        for (version, entry) in after.sorted(by: { $0.key < $1.key }) {
            events += try changes(from: before[version], to: entry, of: new?.name)
        }
        // Publishing and deleting change channels in a way that needs no event of its own.
        let kept = (old?.channels ?? [:]).mapValues { $0.intersection(after.keys) }
        var expected = kept.filter { !$0.value.isEmpty }
        for version in after.keys where before[version] == nil {
            expected[version.isPrerelease ? .candidate : .stable, default: []].insert(version)
        }
        let found = (new?.channels ?? [:]).filter { !$0.value.isEmpty }
        for channel in Set(expected.keys).union(found.keys).sorted()
        where expected[channel] != found[channel] {
            events.append(.channel(channel))
        }
        return events.isEmpty ? [.index] : events
    }

    private static func entries(
        of document: IndexDocument?
    ) -> [SemanticVersion: IndexDocument.Entry] {
        Dictionary(uniqueKeysWithValues: (document?.entries ?? []).map { ($0.version, $0) })
    }

    private static func changes(
        from old: IndexDocument.Entry?,
        to new: IndexDocument.Entry,
        of name: ModelName?
    ) throws(ZooError) -> [Self] {
        let release = LogEntry.Release(new.version, new.digest)
        if let old, old.digest != new.digest {
            throw ZooError(
                .versionTaken,
                "'\(name.map(\.description) ?? ""):\(new.version)' has digest \(old.digest), and "
                    + "would get \(new.digest)",
                remedy: "versions are immutable; use a new version"
            )
        }
        var events: [Self] = old == nil ? [.publish(release)] : []
        if let yank = new.yank {
            if old?.yank != yank { events.append(.yank(release)) }
        } else if old?.yank != nil {
            events.append(.unyank(release))
        }
        let before = Set((old?.attachments ?? []).map(\.digest))
        let after = Set(new.attachments.map(\.digest))
        events += after.subtracting(before).sorted().map { .attach(release, $0) }
        events += before.subtracting(after).sorted().map { .detach(release, $0) }
        return events
    }
}
