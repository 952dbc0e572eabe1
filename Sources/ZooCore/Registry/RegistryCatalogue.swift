// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The head of a registry's catalogue: `catalogue.json`, format `ami-zoo.catalogue/1`.
///
/// The catalogue lists every model and data set, for `list` and `search`. It is derived from the index
/// documents and records, which are the authority. Its entries are in segments: blobs that hold
/// zstd-compressed JSON lines. `registry/SPEC.md` section 7.
public struct RegistryCatalogue: Sendable, Equatable {
    /// The name of the document format.
    public static let format = "ami-zoo.catalogue/1"

    /// A sorted run of entries in one blob.
    public struct Segment: Sendable, Equatable {
        /// The digest of the blob.
        public let digest: ContentDigest
        /// The size of the blob in bytes.
        public let size: Int
        /// The number of entries.
        public let count: Int
        /// The first name.
        public let first: ModelName
        /// The last name.
        public let last: ModelName

        /// Creates a segment.
        public init(
            digest: ContentDigest,
            size: Int,
            count: Int,
            first: ModelName,
            last: ModelName
        ) {
            self.digest = digest
            self.size = size
            self.count = count
            self.first = first
            self.last = last
        }
    }

    /// The segments, oldest first; an entry of a later segment replaces earlier ones of the same name.
    public let segments: [Segment]

    /// Creates a catalogue.
    public init(segments: [Segment]) { self.segments = segments }

    /// Parses `catalogue.json`.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    public init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.catalogue, depth: 4, values: 400_000)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        var segments: [Segment] = []
        for item in try object.objects("segments", maximum: FormatLimits.segments) {
            segments.append(
                Segment(
                    digest: try item.digest("digest"),
                    size: try item.size("size"),
                    count: try item.integer("count", in: 1...FormatLimits.segmentEntries),
                    first: try item.modelName("first"),
                    last: try item.modelName("last")
                )
            )
        }
        self.segments = segments
    }

    /// The stored form.
    public var canonicalBytes: [UInt8] {
        let document: JSONValue = [
            "format": .string(Self.format),
            "segments": .array(
                segments.map { segment in
                    [
                        "digest": .string(segment.digest.description),
                        "size": .integer(segment.size), "count": .integer(segment.count),
                        "first": .string(segment.first.description),
                        "last": .string(segment.last.description),
                    ]
                }
            ),
        ]
        return document.canonicalBytes
    }
}

extension RegistryCatalogue {
    /// What a catalogue says about one model or data set.
    public struct Entry: Sendable, Equatable {
        /// The model or data set.
        public let name: ModelName
        /// The description; nil when the model was deleted.
        public let summary: Summary?

        /// Creates an entry.
        public init(name: ModelName, summary: Summary?) {
            self.name = name
            self.summary = summary
        }
    }

    /// The description of the current version: the newest of `stable`, else the newest of all.
    public struct Summary: Sendable, Equatable {
        /// The kind of artifact.
        public let kind: ArtifactKind
        /// All versions that are not yanked, in ascending order.
        public let versions: [SemanticVersion]
        /// The current version; nil when every version is yanked.
        public let current: SemanticVersion?
        /// The family of a model; empty for a data set.
        public let family: String
        /// What the current version is.
        public let text: String
        /// The SPDX licence expression.
        public let licence: String
        /// The modality of the inputs.
        public let modality: String
        /// The number of parameters of all components; 0 for a data set.
        public let parameters: Int
        /// The total size of all files in bytes.
        public let size: Int
        /// When the current version was created.
        public let created: Timestamp
        /// What is attached to the current version about its validation; nil for nothing.
        public private(set) var evidence: EvidenceSummary?
        /// How the claims of the current version stand; nil for a data set, and in a catalogue of a program that
        /// does not count them.
        public private(set) var claims: ClaimCounts?

        /// Whether a line of a catalogue is up to date.
        ///
        /// A program that does not count claims may have written nothing about evidence either.
        ///
        /// - Parameter current: what the index document and the record say.
        /// - Returns: whether the line says the same.
        public func agrees(with current: Summary) -> Bool {
            var current = current
            if claims == nil {
                current.claims = nil
                if evidence == nil { current.evidence = nil }
            }
            return self == current
        }

        /// Creates a summary of an index document and the record of its current version.
        ///
        /// - Parameters:
        ///   - index: the index document.
        ///   - record: the record of the version that ``IndexDocument/current`` names.
        public init(of index: IndexDocument, _ record: any ArchivedRecord) {
            kind = index.kind
            versions = index.entries.filter { $0.yank == nil }.map(\.version)
            current = index.current?.yank == nil ? record.version : nil
            licence = record.licence
            size = record.totalSize
            created = record.created
            // The claims have a field of their own.
            evidence = index.current?.evidence.map {
                EvidenceSummary($0.state, reason: $0.reason, unreadable: $0.unreadable)
            }
            claims = (record as? ReleaseRecord).map { model in
                index.current?.evidence?.claims
                    ?? ClaimCounts(model.evaluation.map { ClaimComparison($0, measured: nil) })
            }
            switch record {
            case let model as ReleaseRecord:
                family = model.architecture.family
                text = model.summary
                modality = model.inputs.modality.rawValue
                parameters = model.components.reduce(0) { $0 + $1.parameters }
            case let data as DataSetRecord:
                (family, text, modality, parameters) = ("", data.summary, data.modality.rawValue, 0)
            default:
                (family, text, modality, parameters) = ("", "", "", 0)
            }
        }
    }
}

extension IndexDocument {
    /// The version that represents the model: the newest of `stable`, else the newest that is not
    /// yanked, else the newest.
    public var current: Entry? {
        entry(for: .channel(.stable)) ?? entries.last { $0.yank == nil } ?? entries.last
    }
}

extension RegistryCatalogue.Entry {
    /// Parses one line of a segment.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    public init(line: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: 1 << 20, depth: 4, values: FormatLimits.versions + 64)
        let object = try JSONObject(try JSONValue(canonical: line, limits: limits))
        name = try object.modelName("name")
        guard object.value("kind") != nil else {
            summary = nil
            return
        }
        summary = try RegistryCatalogue.Summary(object)
    }

    /// The line, without a line break.
    public var line: [UInt8] {
        var members: [String: JSONValue] = ["name": .string(name.description)]
        if let summary {
            members.merge(summary.members) { own, _ in own }
        }
        return JSONValue.object(members).canonicalBytes
    }
}

extension RegistryCatalogue.Summary {
    fileprivate init(_ object: JSONObject) throws(ZooError) {
        kind = try object.choice("kind", of: ArtifactKind.self)
        var versions: [SemanticVersion] = []
        for text in try object.strings("versions", maximum: FormatLimits.versions) {
            versions.append(try SemanticVersion(parsing: text))
        }
        self.versions = versions
        current = object.value("current") == nil ? nil : try object.version("current")
        family = try object.optionalString("family") ?? ""
        text = try object.optionalString("summary", maximum: 4096) ?? ""
        licence = try object.string("licence")
        modality = try object.string("modality")
        parameters = try object.integer("parameters", in: 0...FormatLimits.largestFile)
        size = try object.size("size")
        created = try object.timestamp("created")
        claims = try object.optionalObject("claims").map(ClaimCounts.init)
        // A state that a later program defines counts as none.
        let state = try object.optionalString("evidence").flatMap(EvidenceSummary.State.init)
        let reason = try object.optionalString("evidenceReason", maximum: EvidenceSummary.limit)
        let unreadable = try object.optionalInteger(
            "evidenceUnreadable",
            in: 0...EvidenceSummary.mostUnreadable
        )
        evidence = state.map { EvidenceSummary($0, reason: reason, unreadable: unreadable ?? 0) }
    }

    fileprivate var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "kind": .string(kind.rawValue),
            "versions": .array(versions.map { .string($0.description) }),
            "licence": .string(licence), "modality": .string(modality),
            "parameters": .integer(parameters), "size": .integer(size),
            "created": .string(created.text),
        ]
        if let evidence { members["evidence"] = .string(evidence.state.rawValue) }
        if let reason = evidence?.reason { members["evidenceReason"] = .string(reason) }
        if let unreadable = evidence?.unreadable, unreadable > 0 {
            members["evidenceUnreadable"] = .integer(unreadable)
        }
        if let claims { members["claims"] = claims.json }
        if let current { members["current"] = .string(current.description) }
        // A text in a document is never empty.
        if !family.isEmpty { members["family"] = .string(family) }
        if !text.isEmpty { members["summary"] = .string(text) }
        return members
    }
}
