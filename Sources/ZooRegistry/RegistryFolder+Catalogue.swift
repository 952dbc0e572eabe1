// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Appends the current state of models to the catalogue.
    ///
    /// - Parameters:
    ///   - names: the models whose index documents changed.
    ///   - cancellation: ends the wait for other writers.
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`; `CancellationError`.
    func updateCatalogue(_ names: [ModelName], _ cancellation: Cancellation) throws {
        let writing = try locks.lock(.catalogue, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        try append(names)
    }

    /// Appends the current state of a model to the catalogue, unless the catalogue has it.
    ///
    /// - Returns: whether the catalogue was behind.
    func refreshCatalogue(_ name: ModelName, _ cancellation: Cancellation) throws -> Bool {
        let writing = try locks.lock(.catalogue, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        let current = try documents.catalogueEntry(of: name).summary
        // The newest segment with an entry decides.
        for segment in try documents.catalogue()?.segments.reversed() ?? []
        where segment.first <= name && name <= segment.last {
            let found = try documents.entries(of: segment).last { $0.name == name }
            guard let found else { continue }
            if found.summary == current { return false }
            break
        }
        try append([name])
        return true
    }

    /// Appends the current state of models; the caller has the lock of the catalogue.
    private func append(_ names: [ModelName]) throws {
        // Read after the lock, so that a later writer never appends an older state.
        let entries = try names.sorted().map { try documents.catalogueEntry(of: $0) }
        var segments = try documents.catalogue()?.segments ?? []
        let old = segments
        segments.append(try writeSegment(entries))
        try merge(&segments)
        try replace(old, with: segments)
        metadata.record(entries, from: old, to: segments)
    }

    /// The number of segments of similar size that are merged into one.
    ///
    /// Each entry is rewritten once per power of it, and the head lists fewer than 8 segments per power.
    private static let mergeFactor = 8
    /// The largest segment that publishing merges; ``rebuild(_:)`` makes larger ones.
    ///
    /// It bounds the time of one publication: 4096 entries are about 1 MiB.
    private static let mergedEntries = 4096

    /// Merges the newest segments while there are ``mergeFactor`` of similar size.
    private func merge(_ segments: inout [RegistryCatalogue.Segment]) throws(ZooError) {
        while segments.count >= Self.mergeFactor {
            let newest = segments.suffix(Self.mergeFactor)
            let count = newest.reduce(0) { $0 + $1.count }
            let smallest = newest.map(\.count).min() ?? 0
            guard count <= Self.mergedEntries,
                newest.allSatisfy({ $0.count <= smallest * Self.mergeFactor })
            else { return }
            var latest: [ModelName: RegistryCatalogue.Entry] = [:]
            for segment in newest {
                for entry in try documents.entries(of: segment) { latest[entry.name] = entry }
            }
            segments.removeLast(Self.mergeFactor)
            segments.append(try writeSegment(latest.values.sorted { $0.name < $1.name }))
        }
    }

    private func writeSegment(
        _ entries: [RegistryCatalogue.Entry]
    ) throws(ZooError) -> RegistryCatalogue.Segment {
        guard let first = entries.first?.name, let last = entries.last?.name else {
            preconditionFailure("a segment has entries")
        }
        let bytes = try CompressedDocument.compress(
            Array(entries.map(\.line).joined(separator: [UInt8(ascii: "\n")]))
        )
        return RegistryCatalogue.Segment(
            digest: try blobs.write(bytes),
            size: bytes.count,
            count: entries.count,
            first: first,
            last: last
        )
    }

    /// Replaces the head, then removes the segments that only the old head lists.
    ///
    /// A reader that has the old head finds a segment missing and reads the head again.
    private func replace(
        _ old: [RegistryCatalogue.Segment],
        with new: [RegistryCatalogue.Segment]
    ) throws(ZooError) {
        guard old != new else { return }
        try FileSystem.writeAtomically(
            "\(root)/\(RegistryLayout.catalogue)",
            RegistryCatalogue(segments: new).canonicalBytes
        )
        let kept = Set(new.map(\.digest))
        for segment in old where !kept.contains(segment.digest) {
            // Collection removes a segment that remains.
            try? FileSystem.remove(blobs.path(of: segment.digest))
        }
    }

    // MARK: Rebuilding

    /// Brings all derived documents up to date with the index documents.
    ///
    /// Releases that only `index.json` lists, which another OCI tool wrote, are checked and published
    /// first.
    ///
    /// - Parameter cancellation: stops the work between two models.
    /// - Returns: the index documents that changed.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when `index.json` has another digest
    ///   for a version, `registry.not-a-registry` for an image layout, the codes of
    ///   ``check(manifest:as:written:_:)``, or `io.*`; `CancellationError`.
    package func rebuild(_ cancellation: Cancellation) throws -> [IndexDocument] {
        guard kind == .registry else {
            throw ZooError(
                .notARegistry,
                "'\(root)' is an OCI image layout without '\(RegistryLayout.description)'",
                remedy: "make it a registry with 'ami-zoo registry init \(root)'"
            )
        }
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        var changed: Set<ModelName> = []
        for entry in try documents.imageIndex()?.entries ?? [] {
            try cancellation.check()
            let known = try documents.index(of: entry.name)?.entry(for: .version(entry.version))
            if let known {
                guard known.digest == entry.digest else {
                    throw taken(entry.name, entry.version, by: known.digest)
                }
                continue
            }
            if try documents.isDeleted(entry) { continue }
            // Nobody signs the list, so that a change of it must not become one of the signed documents.
            guard try !isSigned() else {
                throw ZooError(
                    .indexUnsigned,
                    "'\(root)/\(RegistryLayout.imageIndex)' lists '\(entry.name):\(entry.version)', which no "
                        + "signed index document does",
                    remedy:
                        "remove it from the list, or publish it with 'ami-zoo publish --sign-with KEY'"
                )
            }
            let release = try check(
                manifest: try blobs.read(entry.digest, limit: FormatLimits.manifest),
                as: Identity(name: entry.name, version: entry.version),
                cancellation
            )
            if try publish(release, cancellation) { changed.insert(entry.name) }
        }
        changed.formUnion(try summariseEvidence(cancellation))
        try rebuildImageIndex(cancellation)
        try rebuildCatalogue(cancellation)
        if kind == .registry { try metadata.rebuild(cancellation) }
        return try changed.sorted().compactMap { try documents.index(of: $0) }
    }

    /// Adds every release to `index.json`, or removes the list when there are too many.
    private func rebuildImageIndex(_ cancellation: Cancellation) throws {
        let writing = try locks.lock(.imageIndex, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        let old = try documents.imageIndex()
        // An interrupted deletion leaves entries behind.
        var contents = try (old ?? ImageIndex(entries: [])).removing { entry throws(ZooError) in
            let index = try documents.index(of: entry.name)
            guard index?.entry(for: .version(entry.version)) == nil else { return false }
            return try documents.isDeleted(entry)
        }
        var listed = Set(contents.entries.map(\.digest))
        let path = "\(root)/\(RegistryLayout.imageIndex)"
        for name in try documents.names() {
            try cancellation.check()
            guard let index = try documents.index(of: name) else { continue }
            for entry in index.entries where listed.insert(entry.digest).inserted {
                guard listed.count <= RegistryLayout.imageIndexLimit else {
                    if old != nil { try FileSystem.remove(path) }
                    return
                }
                let size = try blobs.read(entry.digest, limit: FormatLimits.manifest).count
                contents = contents.adding(
                    ImageIndex.Entry(
                        name: name,
                        version: entry.version,
                        digest: entry.digest,
                        size: size,
                        kind: index.kind
                    )
                )
            }
        }
        if contents != old { try FileSystem.writeAtomically(path, contents.canonicalBytes) }
    }

    /// Writes the catalogue anew, in as few segments as the limits allow.
    private func rebuildCatalogue(_ cancellation: Cancellation) throws {
        let writing = try locks.lock(.catalogue, .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        var segments: [RegistryCatalogue.Segment] = []
        var entries: [RegistryCatalogue.Entry] = []
        for name in try documents.names() {
            try cancellation.check()
            entries.append(try documents.catalogueEntry(of: name))
            if entries.count == FormatLimits.segmentEntries {
                segments.append(try writeSegment(entries))
                entries = []
            }
        }
        if !entries.isEmpty { segments.append(try writeSegment(entries)) }
        try replace(try documents.catalogue()?.segments ?? [], with: segments)
    }
}

extension RegistryCatalogue.Entry {
    /// Parses the entries of a segment.
    ///
    /// - Parameter segment: the compressed segment, whose digest was verified.
    /// - Returns: the entries in the order of the segment.
    /// - Throws: ``ZooError`` with code `archive.frame-malformed` or a `json.*` or `format.*` code.
    package static func all(in segment: [UInt8]) throws(ZooError) -> [Self] {
        let bytes = try CompressedDocument.decompress(segment, limit: FormatLimits.segment)
        var entries: [Self] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            entries.append(try Self(line: Array(line)))
        }
        return entries
    }
}
