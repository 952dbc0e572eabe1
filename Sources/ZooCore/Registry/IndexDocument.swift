// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The index document of a model: its versions and channels.
///
/// Formats `ami-zoo.index/1` and `ami-zoo.index/2`, `registry/SPEC.md` section 6. Unknown members are
/// preserved.
public struct IndexDocument: Sendable, Equatable {
    /// The reason and date of a yank; a yanked version is not resolved by channel.
    public struct Yank: Sendable, Equatable {
        /// Why the version was yanked.
        public let reason: String
        /// When the version was yanked.
        public let date: Timestamp

        /// Creates a yank.
        public init(reason: String, date: Timestamp) {
            self.reason = reason
            self.date = date
        }
    }

    /// One version.
    public struct Entry: Sendable, Equatable {
        /// The version.
        public let version: SemanticVersion
        /// The digest of the manifest.
        public let digest: ContentDigest
        /// The total size of all files in bytes.
        public let size: Int
        /// When the release was created.
        public let created: Timestamp
        /// The SPDX licence expression.
        public let licence: String
        /// The yank; nil when the version is not yanked.
        public let yank: Yank?
        /// Signatures, evidence and provenance: manifests whose subject is this release's manifest.
        public let attachments: [Attachment]
        /// What the document states about the attached evidence; nil if it states nothing.
        public let statedEvidence: EvidenceSummary?
        /// Members that this program does not know.
        public let unknownMembers: [String: JSONValue]

        /// Creates an entry.
        public init(
            version: SemanticVersion,
            digest: ContentDigest,
            size: Int,
            created: Timestamp,
            licence: String,
            yank: Yank? = nil,
            attachments: [Attachment] = [],
            statedEvidence: EvidenceSummary? = nil,
            unknownMembers: [String: JSONValue] = [:]
        ) {
            self.version = version
            self.digest = digest
            self.size = size
            self.created = created
            self.licence = licence
            self.yank = yank
            self.attachments = attachments
            self.statedEvidence = statedEvidence
            self.unknownMembers = unknownMembers
        }
    }

    /// The media type of an index document as a layer of an OCI artifact.
    public static let mediaType = "application/vnd.ami.zoo.index.v2+json"
    private static let formatName = "ami-zoo.index"
    /// The name of the document format that is written.
    public static let format = FormatVersion.current.name(formatName)

    /// A manifest that refers to a release, such as a signature.
    public struct Attachment: Sendable, Equatable {
        /// The artifact type, a media type.
        public let type: String
        /// The digest of the manifest.
        public let digest: ContentDigest
        /// The size of the manifest in bytes.
        public let size: Int

        /// Creates an attachment.
        public init(type: String, digest: ContentDigest, size: Int) {
            self.type = type
            self.digest = digest
            self.size = size
        }
    }

    /// The name of the model or data set.
    public let name: ModelName
    /// The kind of artifact.
    public let kind: ArtifactKind
    /// The versions in ascending order.
    public let entries: [Entry]
    /// The versions of each channel.
    public let channels: [ChannelName: Set<SemanticVersion>]
    /// Members that this program does not know.
    public let unknownMembers: [String: JSONValue]

    /// Creates an index document.
    ///
    /// - Throws: ``ZooError`` with code `registry.index-invalid` when a version appears twice or a
    ///   channel names a version that does not exist.
    public init(
        name: ModelName,
        kind: ArtifactKind = .model,
        entries: [Entry],
        channels: [ChannelName: Set<SemanticVersion>],
        unknownMembers: [String: JSONValue] = [:]
    ) throws(ZooError) {
        self.name = name
        self.kind = kind
        self.entries = entries.sorted { $0.version < $1.version }
        self.channels = channels
        self.unknownMembers = unknownMembers
        let versions = Set(entries.map(\.version))
        guard versions.count == entries.count else { throw invalid("it lists a version twice") }
        for (channel, members) in channels {
            if let stray = members.subtracting(versions).min() {
                throw invalid("channel '\(channel)' names version \(stray), which is not listed")
            }
        }
    }

    /// Parses a stored index document.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` code or `registry.index-invalid`.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.indexDocument, depth: 8, values: 400_000)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        let format = try object.formatVersion(Self.formatName)
        var entries: [Entry] = []
        for entry in try object.objects("versions", maximum: FormatLimits.versions) {
            entries.append(try Entry(entry, format))
        }
        var channels: [ChannelName: Set<SemanticVersion>] = [:]
        let listed = try object.object("channels")
        for key in listed.members.keys {
            var members: Set<SemanticVersion> = []
            for text in try listed.strings(key, maximum: FormatLimits.versions) {
                guard let version = try? SemanticVersion(parsing: text) else {
                    throw listed.invalid(key, "names '\(text)', which is not a version")
                }
                members.insert(version)
            }
            guard let channel = try? ChannelName(parsing: key) else {
                throw listed.invalid(key, "is not the name of a channel")
            }
            channels[channel] = members
        }
        try self.init(
            name: try object.modelName("name"),
            kind: format == .one ? .model : try object.choice("kind", of: ArtifactKind.self),
            entries: entries,
            channels: channels,
            unknownMembers: object.members(besides: [
                "format", "name", "kind", "versions", "channels",
            ])
        )
    }

    private func invalid(_ what: String) -> ZooError {
        ZooError(.indexInvalid, "the index document of '\(name)' is inconsistent: \(what)")
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let listed = channels.map { channel, members in
            (channel.text, JSONValue.array(members.sorted().map { .string($0.description) }))
        }
        let members: [String: JSONValue] = [
            "format": .string(Self.format),
            "name": .string(name.description), "kind": .string(kind.rawValue),
            "versions": .array(entries.map(\.json)),
            "channels": .object(Dictionary(uniqueKeysWithValues: listed)),
        ]
        return JSONValue.object(members.merging(unknownMembers) { own, _ in own }).canonicalBytes
    }

    /// Resolves a selector to an entry; nil when there is none.
    ///
    /// An exact version resolves even when it is yanked. A channel resolves to its newest version that
    /// is not yanked.
    public func entry(for selector: ModelReference.Selector) -> Entry? {
        switch selector {
        case .version(let version): entries.first { $0.version == version }
        case .channel(let channel):
            entries.last { $0.yank == nil && channels[channel, default: []].contains($0.version) }
        }
    }
}

extension IndexDocument.Entry {
    fileprivate init(_ object: JSONObject, _ format: FormatVersion) throws(ZooError) {
        version = try object.version("version")
        digest = try object.digest("digest")
        size = try object.size("size")
        created = try object.timestamp("created")
        licence = try object.string("licence")
        if let yanked = try object.optionalObject("yanked") {
            yank = IndexDocument.Yank(
                reason: try yanked.string("reason", maximum: 1000),
                date: try yanked.timestamp("date")
            )
        } else {
            yank = nil
        }
        var attachments: [IndexDocument.Attachment] = []
        if format != .one, object.value("attachments") != nil {
            let listed = try object.objects(
                "attachments",
                maximum: AttachmentLimits.attachments
            )
            for item in listed {
                attachments.append(
                    IndexDocument.Attachment(
                        type: try item.string("type"),
                        digest: try item.digest("digest"),
                        size: try item.size("size")
                    )
                )
            }
        }
        self.attachments = attachments
        let evidence = format == .one ? nil : Self.evidence(object)
        statedEvidence = evidence
        var known: Set = [
            "version", "digest", "size", "created", "licence", "yanked", "attachments",
        ]
        // A summary that this program cannot read is kept as it is.
        if evidence != nil { known.insert("evidence") }
        unknownMembers = object.members(besides: known)
    }

    /// The summary of the evidence; nil for none, and for one that cannot be read: it is derived from the attachments,
    /// and must not make the document unusable.
    private static func evidence(_ object: JSONObject) -> EvidenceSummary? {
        guard let member = try? object.optionalObject("evidence") else { return nil }
        return (try? EvidenceSummary(member)).flatMap { $0 }
    }

    /// What lists show about the validation of the version: what the document states if the types of the
    /// attachments bear it out, else what those types say; nil for no evidence.
    public var evidence: EvidenceSummary? {
        guard let found = EvidenceSummary(ofTypes: attachments) else { return nil }
        // A program that does not know the field leaves it as it was when it attaches or detaches.
        guard let statedEvidence else { return found }
        switch statedEvidence.state {
        case .failed: return statedEvidence
        case .validated: return found.state == .unread ? statedEvidence : found
        case .unvalidated: return found.state == .unvalidated ? statedEvidence : found
        case .unread: return found
        }
    }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "version": .string(version.description), "digest": .string(digest.description),
            "size": .integer(size), "created": .string(created.text), "licence": .string(licence),
        ]
        if let yank {
            members["yanked"] = ["reason": .string(yank.reason), "date": .string(yank.date.text)]
        }
        if !attachments.isEmpty {
            members["attachments"] = .array(
                attachments.map { attachment in
                    [
                        "type": .string(attachment.type),
                        "digest": .string(attachment.digest.description),
                        "size": .integer(attachment.size),
                    ]
                }
            )
        }
        if let statedEvidence { members["evidence"] = statedEvidence.json }
        return .object(members.merging(unknownMembers) { own, _ in own })
    }
}
