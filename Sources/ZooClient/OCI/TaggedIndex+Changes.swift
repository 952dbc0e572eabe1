// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooRegistry

extension TaggedIndex {
    /// The number of times that a change is written before it is given up.
    private static let attempts = 10

    /// The time after which a written document is read again.
    ///
    /// A registry has no conditional writes: a client that read the tag before this one wrote it replaces
    /// the new document unknowingly. It writes within two requests of its last read, so after this time the
    /// change was replaced, and is made again, or stays.
    private static let settling = Duration.seconds(1)

    /// Makes a change, and makes it again when another client replaced the document meanwhile.
    ///
    /// - Parameters:
    ///   - change: the change.
    ///   - date: when it was made.
    /// - Returns: the document that the registry has afterwards.
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, `registry.index-busy` when others
    ///   replaced the document again and again, as ``IndexDocument/applying(_:at:in:)`` and
    ///   ``stored()``, or `transport.*`; `CancellationError`.
    func apply(_ change: IndexChange, at date: Timestamp) async throws -> IndexDocument {
        let address = repositories.address
        for attempt in 0...Self.attempts {
            let state = try await state(unlisted: FormatLimits.versions)
            guard let current = state.document else {
                throw ZooError(
                    .modelUnknown,
                    "\(address) has no model '\(name)'",
                    remedy: "check the name and the address"
                )
            }
            let changed = try current.applying(change, at: date, in: address)
            if changed == current { return current }
            if attempt < Self.attempts { try await write(changed, replacing: state.tag) }
        }
        throw ZooError(
            .indexBusy,
            "other clients replaced the index document of '\(name)' at \(address) "
                + "\(Self.attempts) times in a row, and it does not have the change",
            remedy: "run the command again; 'ami-zoo versions \(name) --registry \(address)' shows "
                + "what the registry has now"
        )
    }

    /// Replaces the document, and waits until no other client can replace it unknowingly; does nothing
    /// when another client was faster.
    private func write(
        _ document: IndexDocument,
        replacing tag: ContentDigest?
    ) async throws {
        let bytes = try await artifact(document)
        // Read again just before writing, so that little time is left for others.
        if try await self.tag() == tag {
            try await repositories.push(
                bytes,
                ArtifactManifest.manifestType,
                as: OCITag.index.description,
                of: name,
                // Sent again later, it could replace what others wrote meanwhile.
                isIdempotent: false
            )
            try await Task.sleep(for: Self.settling)
        }
        // Clients that wrote at the same time do not do so again.
        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<500)))
    }

    /// Uploads the blobs of the artifact, and returns its manifest.
    private func artifact(_ document: IndexDocument) async throws -> [UInt8] {
        func descriptor(
            _ type: String,
            _ bytes: [UInt8],
            _ annotations: [String: String] = [:]
        ) async throws -> JSONValue {
            let digest = try await repositories.put(bytes, of: name)
            return Descriptor(
                mediaType: type,
                digest: digest,
                size: bytes.count,
                annotations: annotations
            ).json
        }
        let manifest: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(ArtifactManifest.manifestType),
            "artifactType": .string(IndexDocument.mediaType),
            "config": try await descriptor(
                "application/vnd.oci.empty.v1+json",
                Array("{}".utf8)
            ),
            "layers": [
                try await descriptor(
                    IndexDocument.mediaType,
                    document.canonicalBytes,
                    // The file name for tools that unpack layers.
                    [ReleaseManifest.MediaType.title: "\(OCITag.index).json"]
                )
            ],
        ]
        return manifest.canonicalBytes
    }
}
