// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// Answers the OCI distribution API, version 1.1.
///
/// The caller has checked that the sender may make the request.
struct OCIResponder: Sendable {
    /// The registry.
    let registry: ServedRegistry
    /// Who may do what; counts uploads and records changes.
    let policy: any AccessPolicy
    /// What the server accepts beside releases.
    let options: ServerOptions
    /// The thread pool for blocking calls.
    let readers: NIOThreadPool

    /// A request of the API.
    struct Call: Sendable {
        let request: Request
        let target: RequestTarget
        let access: Access

        var method: HTTPRequest.Method { request.method }
    }

    /// Answers a request; the second value is the part of a blob to send as the body.
    ///
    /// - Throws: ``RequestFailure``, ``ZooError``, or what reading the body throws.
    func respond(
        to call: Call,
        for resource: OCIResource
    ) async throws -> (response: Response, body: FileBody?) {
        switch resource {
        case .base:
            try require(call, [.get, .head])
            return (base, nil)
        case .blob(let repository, let digest):
            if call.method == .delete {
                return (try await delete(digest, from: repository, call), nil)
            }
            try require(call, [.get, .head], and: [.delete])
            return try await blob(digest, in: repository, call)
        case .manifest(let repository, let reference):
            switch call.method {
            case .put: return (try await putManifest(reference, in: repository, call), nil)
            case .delete: return (try await delete(reference, from: repository, call), nil)
            default:
                try require(call, [.get, .head], and: [.put, .delete])
                return (try await manifest(reference, in: repository, call), nil)
            }
        case .tags(let repository):
            try require(call, [.get, .head])
            return (try await tags(of: repository, call), nil)
        case .referrers(let repository, let digest):
            try require(call, [.get, .head])
            return (try await referrers(of: digest, in: repository, call), nil)
        case .uploads(let repository):
            try require(call, [.post])
            return (try await startUpload(in: repository, call), nil)
        case .upload(let repository, let id):
            try require(call, [.get, .head, .patch, .put, .delete])
            return (try await continueUpload(id, in: repository, call), nil)
        }
    }

    private var base: Response {
        var response = Response.json([:])
        response.headers[.apiVersion] = "registry/2.0"
        response.headers[.zooAPI] = ZooAPI.announcement
        return response
    }

    // MARK: Conditions

    private func require(
        _ call: Call,
        _ methods: [HTTPRequest.Method],
        and others: [HTTPRequest.Method] = []
    ) throws(RequestFailure) {
        guard !methods.contains(call.method) else { return }
        var failure = RequestFailure(
            .methodNotAllowed,
            .unsupported,
            ZooError(.methodNotAllowed, "this path does not support \(call.method.rawValue)")
        )
        failure.fields[.allow] = (methods + others).map(\.rawValue).joined(separator: ", ")
        throw failure
    }

    /// What changes the registry.
    ///
    /// - Throws: ``RequestFailure`` with status 403 when the registry is served read-only.
    func writer() throws(RequestFailure) -> ServedRegistry.Writer {
        guard let writer = registry.writer else {
            throw RequestFailure(.forbidden, .denied, .readOnly)
        }
        return writer
    }

    /// Runs a short blocking call.
    func blocking<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await readers.runIfActive { try work() }
    }

    // MARK: Blobs

    private func blob(
        _ digest: BlobDigest,
        in repository: RepositoryName,
        _ call: Call
    ) async throws -> (Response, FileBody?) {
        let file: ServedFile? = try await blocking { [registry] in
            guard try registry.mayRead(digest, in: repository) else { return nil }
            return try registry.folder.open(path: digest.path)
        }
        guard let file else {
            throw RequestFailure(
                .notFound,
                .blobUnknown,
                ZooError(.blobMissing, "the repository has no blob \(digest)")
            )
        }
        let tag = EntityTag(digest)
        let delivery = Delivery(call.request.head, tag: tag, size: file.size)
        var response = Response.blob(tag: tag, size: file.size, delivery: delivery)
        response.headers[.contentDigest] = digest.description
        return (response, delivery.body(of: file, for: call.request.head, readers))
    }

    private func delete(
        _ digest: BlobDigest,
        from repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let writer = try deleting()
        let found = try await blocking { [registry] in
            if try registry.contents.holds(blob: digest, in: repository) {
                throw RequestFailure(
                    .conflict,
                    .denied,
                    ZooError(
                        .notDeletable,
                        "a manifest of the repository refers to the blob \(digest)",
                        remedy: "delete the manifest first"
                    )
                )
            }
            guard try writer.uploads.links.contains(digest, in: repository) else { return false }
            try writer.uploads.links.remove(digest, from: repository)
            return true
        }
        guard found else {
            throw RequestFailure(
                .notFound,
                .blobUnknown,
                ZooError(.blobMissing, "the repository has no blob \(digest)")
            )
        }
        try await policy.record("delete", of: "\(repository)@\(digest)", by: call.access)
        return Response(status: .accepted)
    }

    /// What changes the registry, if the server deletes.
    ///
    /// - Throws: ``RequestFailure`` with status 403 or 405.
    func deleting() throws(RequestFailure) -> ServedRegistry.Writer {
        let writer = try writer()
        guard options.allowsDeletion else {
            throw RequestFailure(
                .methodNotAllowed,
                .unsupported,
                ZooError(
                    .methodNotAllowed,
                    "this server does not delete",
                    remedy: "ask its operator to run 'ami-zoo serve' with --allow-delete"
                )
            )
        }
        return writer
    }

    // MARK: Lists

    private func tags(of repository: RepositoryName, _ call: Call) async throws -> Response {
        let all = try await blocking { [registry] in try registry.contents.tags(of: repository) }
        guard let all else {
            throw RequestFailure(
                .notFound,
                .nameUnknown,
                ZooError(
                    .modelUnknown,
                    "the registry has no repository '\(registry.address(of: repository))'"
                )
            )
        }
        var page = all.map(\.description)
        if let last = call.target.value("last") { page.removeAll { $0 <= last } }
        var link: String?
        if let text = call.target.value("n") {
            guard let limit = Int(text), limit >= 0 else {
                throw RequestFailure(
                    .badRequest,
                    .unsupported,
                    ZooError(.requestInvalid, "'n' is not a number of tags: '\(text.prefix(40))'")
                )
            }
            if page.count > limit {
                page = Array(page.prefix(limit))
                if let last = page.last {
                    let path = "/v2/\(registry.address(of: repository))/tags/list"
                    link = "<\(path)?n=\(limit)&last=\(last)>; rel=\"next\""
                }
            }
        }
        var response = Response.json([
            "name": .string(registry.address(of: repository)),
            "tags": .array(page.map { .string($0) }),
        ])
        response.headers[.link] = link
        return response
    }

    private func referrers(
        of subject: BlobDigest,
        in repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let filter = call.target.value("artifactType")
        let manifests: [JSONValue] = try await blocking { [registry] in
            var listed: [JSONValue] = []
            for digest in try registry.contents.referrers(of: subject, in: repository) {
                // A referrer that is damaged, or was deleted just now, is left out.
                guard let bytes = try? registry.contents.manifest(digest, in: repository),
                    let manifest = try? ArtifactManifest(parsing: bytes),
                    filter == nil || manifest.artifactType == filter
                else { continue }
                listed.append(manifest.descriptor(digest, size: bytes.count))
            }
            return listed
        }
        var response = Response.json(
            [
                "schemaVersion": 2, "mediaType": .string(ArtifactManifest.indexType),
                "manifests": .array(manifests),
            ],
            type: ArtifactManifest.indexType
        )
        if filter != nil { response.headers[.filtersApplied] = "artifactType" }
        return response
    }
}

extension ArtifactManifest {
    /// The descriptor of the manifest in a list of referrers.
    fileprivate func descriptor(_ digest: BlobDigest, size: Int) -> JSONValue {
        var members: [String: JSONValue] = [
            "mediaType": .string(effectiveMediaType), "digest": .string(digest.description),
            "size": .integer(size),
        ]
        if let artifactType { members["artifactType"] = .string(artifactType) }
        if !annotations.isEmpty {
            members["annotations"] = .object(annotations.mapValues { .string($0) })
        }
        return .object(members)
    }
}

extension ServedRegistry {
    /// Whether a blob is readable in a repository: a manifest refers to it, or it was uploaded to it.
    func mayRead(_ blob: BlobDigest, in repository: RepositoryName) throws(ZooError) -> Bool {
        if try contents.holds(blob: blob, in: repository) { return true }
        return try writer?.uploads.links.contains(blob, in: repository) ?? false
    }
}
