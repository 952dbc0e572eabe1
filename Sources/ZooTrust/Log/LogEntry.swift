// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// An entry of the log of a registry: one change of an index document, format `ami-zoo.log-entry/1`
/// (`registry/SPEC.md` section 15).
package struct LogEntry: Sendable, Hashable {
    /// The name of the document format.
    package static let format = "ami-zoo.log-entry/1"

    /// A version, by its digest.
    package struct Release: Sendable, Hashable {
        /// The version.
        package let version: SemanticVersion
        /// The digest of the manifest.
        package let manifest: ContentDigest

        /// Creates a version.
        package init(_ version: SemanticVersion, _ manifest: ContentDigest) {
            self.version = version
            self.manifest = manifest
        }
    }

    /// What changed.
    package enum Event: Sendable, Hashable {
        /// A version was added, to `stable`, or to `candidate` if it is a pre-release.
        case publish(Release)
        /// A version was yanked, or the reason of its yank changed.
        case yank(Release)
        /// The yank of a version was taken back.
        case unyank(Release)
        /// The versions of a channel changed.
        case channel(ChannelName)
        /// A manifest was attached to a version.
        case attach(Release, ContentDigest)
        /// An attachment of a version was removed.
        case detach(Release, ContentDigest)
        /// A version was deleted.
        case delete(Release)
        /// The index document was written again, and none of the above changed.
        case index
    }

    /// The model or data set.
    package let name: ModelName
    /// What changed.
    package let event: Event
    /// The digest of the new index document; nil when it went with the last version.
    package let index: ContentDigest?
    /// When the entry was made.
    package let time: Timestamp

    /// Creates an entry.
    package init(name: ModelName, event: Event, index: ContentDigest?, time: Timestamp) {
        self.name = name
        self.event = event
        self.index = index
        self.time = time
    }

    /// The stored form.
    package var canonicalBytes: [UInt8] {
        var members: [String: JSONValue] = [
            "format": .string(Self.format), "name": .string(name.description),
            "event": .string(event.word.rawValue), "time": .string(time.text),
        ]
        if let index { members["index"] = .string(index.description) }
        if let release = event.release {
            members["version"] = .string(release.version.description)
            members["manifest"] = .string(release.manifest.description)
        }
        switch event {
        case .channel(let channel): members["channel"] = .string(channel.text)
        case .attach(_, let attachment), .detach(_, let attachment):
            members["attachment"] = .string(attachment.description)
        case .publish, .yank, .unyank, .delete, .index: break
        }
        return JSONValue.object(members).canonicalBytes
    }

    /// Parses the stored form; members that this program does not know are ignored.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    package init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: EntryBundle.largestEntry, depth: 8, values: 4096)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        name = try object.modelName("name")
        event = try Event(object)
        index = object.value("index") == nil ? nil : try object.digest("index")
        time = try object.timestamp("time")
    }
}

extension LogEntry.Event {
    /// The event in an entry.
    fileprivate enum Word: String, CaseIterable {
        case publish, yank, unyank, channel, attach, detach, delete, index
    }

    fileprivate var word: Word {
        switch self {
        case .publish: .publish
        case .yank: .yank
        case .unyank: .unyank
        case .channel: .channel
        case .attach: .attach
        case .detach: .detach
        case .delete: .delete
        case .index: .index
        }
    }

    /// The name of the event, such as `publish`.
    package var text: String { word.rawValue }

    /// The version that the event is about; nil for the others.
    package var release: LogEntry.Release? {
        switch self {
        case .publish(let release), .yank(let release), .unyank(let release),
            .attach(let release, _), .detach(let release, _), .delete(let release):
            release
        case .channel, .index: nil
        }
    }

    fileprivate init(_ object: JSONObject) throws(ZooError) {
        let word = try object.choice("event", of: Word.self)
        if word == .index {
            self = .index
            return
        }
        if word == .channel {
            let text = try object.string("channel")
            guard let channel = try? ChannelName(parsing: text) else {
                throw object.invalid("channel", "is '\(text)', which is not the name of a channel")
            }
            self = .channel(channel)
            return
        }
        let release = LogEntry.Release(
            try object.version("version"),
            try object.digest("manifest")
        )
        switch word {
        case .publish: self = .publish(release)
        case .yank: self = .yank(release)
        case .unyank: self = .unyank(release)
        case .attach: self = .attach(release, try object.digest("attachment"))
        case .detach: self = .detach(release, try object.digest("attachment"))
        case .delete, .channel, .index: self = .delete(release)
        }
    }
}
