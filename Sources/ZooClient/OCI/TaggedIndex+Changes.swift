// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooRegistry

extension TaggedIndex {
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
        for attempt in 0...OCIRepositories.contestedWrites {
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
            guard attempt < OCIRepositories.contestedWrites else { break }
            try await repositories.replace(
                OCITag.index.description,
                state.tag,
                with: try await artifact(changed),
                ArtifactManifest.manifestType,
                of: name
            )
        }
        throw ZooError(
            .indexBusy,
            "other clients replaced the index document of '\(name)' at \(address) "
                + "\(OCIRepositories.contestedWrites) times in a row, and it does not have the change",
            remedy: "run the command again; 'ami-zoo versions \(name) --registry \(address)' shows "
                + "what the registry has now"
        )
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
