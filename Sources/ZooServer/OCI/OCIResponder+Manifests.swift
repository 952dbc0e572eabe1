// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

extension OCIResponder {
    // MARK: Reading

    func manifest(
        _ reference: ManifestReference,
        in repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let found = try await blocking { [registry] in
            try registry.contents.find(reference, in: repository).flatMap { digest in
                try registry.contents.manifest(digest, in: repository).map { (digest, $0) }
            }
        }
        guard let (digest, bytes) = found else { throw unknown(reference) }
        let type = try? ArtifactManifest(parsing: bytes).effectiveMediaType
        let tag = EntityTag(digest)
        let delivery = Delivery(call.request.head, tag: tag, size: bytes.count)
        var response = Response.document(
            bytes,
            type: type ?? ArtifactManifest.manifestType,
            tag: tag,
            delivery: delivery
        )
        response.headers[.contentDigest] = digest.description
        return response
    }

    private func unknown(_ reference: ManifestReference) -> RequestFailure {
        RequestFailure(
            .notFound,
            .manifestUnknown,
            ZooError(.versionUnknown, "the repository has no manifest '\(reference)'")
        )
    }

    // MARK: Writing

    func putManifest(
        _ reference: ManifestReference,
        in repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let writer = try writer()
        let bytes = try await call.request.document(limit: FormatLimits.artifactManifest)
        var algorithm = BlobDigest.Algorithm.sha256
        if case .digest(let stated) = reference { algorithm = stated.algorithm }
        let digest = BlobDigest(of: bytes, algorithm)
        if case .digest(let stated) = reference, stated != digest {
            throw RequestFailure(
                .badRequest,
                .digestInvalid,
                ZooError(
                    .uploadMismatch,
                    "the manifest has digest \(digest), not \(stated)",
                    remedy: "send the bytes that the digest was computed of"
                )
            )
        }
        do {
            let manifest = try ArtifactManifest(parsing: bytes)
            try checkType(manifest, call)
            let put = Put(
                bytes: bytes,
                manifest: manifest,
                digest: digest,
                reference: reference,
                repository: repository
            )
            try await requireReadable(put)
            if let action = try await store(put, writer) {
                try await policy.record(action, of: name(repository, reference), by: call.access)
            }
            var response = Response(status: .created)
            response.headers[.location] =
                "/v2/\(registry.address(of: repository))/manifests/\(reference)"
            response.headers[.contentDigest] = digest.description
            if let subject = manifest.subject {
                response.headers[.subject] = subject.digest.description
            }
            return response
        } catch let error as ZooError {
            throw RequestFailure(registry.redacted(error), ofManifest: true)
        }
    }

    /// A manifest that was sent.
    private struct Put: Sendable {
        let bytes: [UInt8]
        let manifest: ArtifactManifest
        let digest: BlobDigest
        let reference: ManifestReference
        let repository: RepositoryName
    }

    /// Checks that the media type in the header is the one in the manifest.
    private func checkType(_ manifest: ArtifactManifest, _ call: Call) throws(RequestFailure) {
        guard let stated = manifest.mediaType, let header = call.request.headers[.contentType],
            header.prefix(while: { $0 != ";" }) != stated
        else { return }
        throw RequestFailure(
            .badRequest,
            .manifestInvalid,
            ZooError(
                .manifestInvalid,
                "the Content-Type is '\(header.prefix(120))', and the manifest states '\(stated)'"
            )
        )
    }

    /// Checks that every blob is readable in the repository, so that a manifest cannot make the blobs of
    /// another repository readable.
    private func requireReadable(_ put: Put) async throws {
        try await blocking { [registry] in
            for blob in put.manifest.blobs where !blob.isElsewhere {
                guard try registry.mayRead(blob.digest, in: put.repository) else {
                    throw ZooError(
                        .blobMissing,
                        "the manifest refers to the blob \(blob.digest), which the repository does "
                            + "not have",
                        remedy: "upload or mount the blob, then send the manifest"
                    )
                }
            }
        }
    }

    /// The text form of a tag or a digest in a repository.
    private func name(_ repository: RepositoryName, _ reference: ManifestReference) -> String {
        switch reference {
        case .tag(let tag): "\(repository):\(tag)"
        case .digest(let digest): "\(repository)@\(digest)"
        }
    }

    /// Stores a manifest by what it is, and returns the action for the log; nil when nothing changed.
    private func store(_ put: Put, _ writer: ServedRegistry.Writer) async throws -> String? {
        let isVersion =
            put.manifest.artifactType.flatMap { ArtifactKind(artifactType: $0) } != nil
        if try await blocking({ try writer.registry.isSigned() }) {
            switch put.reference {
            case .tag where isVersion: throw Self.signedPush
            case .digest where isVersion: return try await keep(put, writer)
            case .digest:
                guard let subject = put.manifest.subject?.digest,
                    try await isRelease(subject, in: put.repository)
                else { break }
                return try await keep(put, writer)
            case .tag: break
            }
        }
        if isVersion {
            return try await publish(put, writer) ? "publish" : nil
        }
        if case .digest = put.reference, let name = put.repository.modelName,
            let subject = put.manifest.subject?.digest,
            try await isRelease(subject, in: put.repository)
        {
            _ = try await BlockingWork.run { cancellation in
                try writer.registry.attach(put.bytes, to: name, cancellation)
            }
            return "attach"
        }
        guard options.acceptsAnyArtifact else {
            throw RequestFailure(
                .forbidden,
                .denied,
                ZooError(
                    .artifactNotAccepted,
                    "this registry accepts releases, and manifests whose subject is one of them",
                    remedy: "publish with 'ami-zoo publish'; 'ami-zoo serve --accept any' accepts "
                        + "other artifacts"
                )
            )
        }
        var tag: OCITag?
        if case .tag(let given) = put.reference {
            tag = given
            try await refuseVersion(given, in: put.repository)
        }
        try await BlockingWork.run { [tag] cancellation in
            try writer.registry.store(
                put.bytes,
                put.manifest,
                as: put.digest,
                tag: tag,
                in: put.repository,
                cancellation
            )
        }
        return "publish"
    }

    private static var signedPush: ZooError {
        ZooError(
            .trustPush,
            "this registry is signed: a release is published with an index document and metadata that its "
                + "publisher signed",
            remedy: "publish with 'ami-zoo publish --sign-with NAME'"
        )
    }

    /// Keeps a manifest as a blob, which a signed index document will list.
    private func keep(_ put: Put, _ writer: ServedRegistry.Writer) async throws -> String? {
        try await BlockingWork.run { _ in _ = try writer.registry.blobs.write(put.bytes) }
        return nil
    }

    private func isRelease(
        _ digest: BlobDigest,
        in repository: RepositoryName
    ) async throws -> Bool {
        try await blocking { [registry] in
            try registry.contents.index(of: repository)?.entries.contains {
                BlobDigest($0.digest) == digest
            } ?? false
        }
    }

    /// Refuses to move the tag of a release to another artifact.
    private func refuseVersion(_ tag: OCITag, in repository: RepositoryName) async throws {
        let isTaken = try await blocking { [registry] in
            try registry.contents.index(of: repository)?.entries.contains {
                OCITag($0.version) == tag
            } ?? false
        }
        guard isTaken else { return }
        throw ZooError(
            .versionTaken,
            "'\(repository):\(tag)' is a release",
            remedy: "versions are immutable; use another tag"
        )
    }

    /// Publishes a release; false when it was published before, as a whole.
    private func publish(_ put: Put, _ writer: ServedRegistry.Writer) async throws -> Bool {
        guard let name = put.repository.modelName else {
            throw RequestFailure(
                .badRequest,
                .nameInvalid,
                ZooError(
                    .referenceMalformed,
                    "'\(put.repository)' is not the name of a model",
                    remedy: "publish as 'namespace/name'"
                )
            )
        }
        var version: SemanticVersion?
        if case .tag(let tag) = put.reference {
            version = try SemanticVersion(parsing: tag.description)
        }
        return try await BlockingWork.run { [version] cancellation in
            let identity = version.map { RegistryFolder.Identity(name: name, version: $0) }
            if let identity,
                let wasBehind = try writer.registry.complete(put.bytes, as: identity, cancellation)
            {
                return wasBehind
            }
            let release = try writer.registry.check(
                manifest: put.bytes,
                as: identity,
                cancellation
            )
            guard release.record.name == name else {
                throw ZooError(
                    .releaseInconsistent,
                    "it is published as '\(name)', and its record has '\(release.record.name)'",
                    remedy: "publish it under the name in its record"
                )
            }
            return try writer.registry.publish(release, cancellation)
        }
    }

    // MARK: Deleting

    func delete(
        _ reference: ManifestReference,
        from repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let writer = try deleting()
        let isFound = try await BlockingWork.run { [registry] cancellation in
            if try writer.registry.removeArtifact(reference, from: repository, cancellation) {
                return true
            }
            guard let name = repository.modelName,
                let index = try registry.contents.index(of: repository)
            else { return false }
            let now = Timestamp(secondsSince1970: Clock.seconds())
            switch reference {
            case .digest(let digest):
                guard let digest = digest.contentDigest else { return false }
                if let entry = index.entries.first(where: { $0.digest == digest }) {
                    _ = try writer.registry.delete(name, entry.version, at: now, cancellation)
                    return true
                }
                return try writer.registry.detach(digest, from: name, cancellation)
            case .tag(let tag):
                guard let entry = index.entries.first(where: { OCITag($0.version) == tag })
                else { return false }
                _ = try writer.registry.delete(name, entry.version, at: now, cancellation)
                return true
            }
        }
        guard isFound else { throw unknown(reference) }
        try await policy.record("delete", of: name(repository, reference), by: call.access)
        return Response(status: .accepted)
    }
}
