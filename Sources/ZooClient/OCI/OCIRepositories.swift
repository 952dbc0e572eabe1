// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTransport

/// Authorised requests to the repositories of one OCI registry.
struct OCIRepositories: Sendable {
    /// The address.
    let endpoint: OCIEndpoint
    private let transport: HTTPTransport
    private let authorization: OCIAuthorization

    init(
        _ endpoint: OCIEndpoint,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup
    ) {
        self.endpoint = endpoint
        self.transport = transport
        authorization = OCIAuthorization(
            endpoint,
            transport: transport,
            credentials: credentials
        )
    }

    /// The media types of manifests, for `Accept`.
    private static let accepted = HeaderField(
        "Accept",
        [ArtifactManifest.manifestType, ArtifactManifest.indexType].joined(separator: ", ")
    )

    /// Sends a request, and once more with a new token when the registry no longer accepts the first.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - url: the absolute URL; credentials go to the registry's own origin only.
    ///   - name: the model whose repository is meant.
    ///   - access: what the request does.
    ///   - headers: more headers.
    ///   - body: the body.
    ///   - limit: the maximum size of the response in bytes.
    ///   - isIdempotent: whether a request that may have arrived is sent again; nil: what the method says.
    /// - Returns: the response, whatever its status but 401.
    /// - Throws: ``ZooError`` with code `transport.login-required`, `transport.forbidden` or
    ///   `transport.*`.
    func send(
        _ method: HTTPRequest.Method,
        _ url: String,
        of name: ModelName,
        _ access: OCIAuthorization.Access = .pull,
        headers: [HeaderField] = [],
        body: RequestBody? = nil,
        limit: Int = 1 << 20,
        isIdempotent: Bool? = nil
    ) async throws -> HTTPResponse {
        let repository = try endpoint.repository(of: name)
        func attempt() async throws -> HTTPResponse {
            let authorized =
                url.hasPrefix(endpoint.origin + "/")
                ? try await authorization.headers(for: repository, access) : []
            var request = HTTPRequest(
                method,
                url,
                headers: headers + authorized,
                body: body,
                limit: limit
            )
            if let isIdempotent { request.isIdempotent = isIdempotent }
            return try await transport.send(request)
        }
        let response = try await attempt()
        guard response.status == 401 else { return response }
        await authorization.renew()
        let second = try await attempt()
        guard second.status == 401 else { return second }
        throw await authorization.refusal()
    }

    /// Whether the server answers `GET /v2/` as an OCI registry does.
    func isThere() async throws -> Bool {
        do {
            try await authorization.connect()
            return true
        } catch let error as ZooError {
            switch error.code {
            case .notARegistry: return false
            // It is one, and a later request says that a login is needed.
            case .loginRequired, .forbidden: return true
            default: throw error
            }
        }
    }

    /// Whether the server is `ami-zoo serve`, which has index documents beside the OCI API.
    ///
    /// - Throws: ``ZooError`` with code `transport.*`.
    func servesIndexDocuments() async throws -> Bool {
        try await authorization.servesIndexDocuments()
    }

    /// Fetches the index document of a model from `ami-zoo serve`; nil from any other registry.
    ///
    /// - Throws: ``ZooError`` with code `transport.*`.
    func indexDocument(of name: ModelName, entityTag: String?) async throws -> SourceDocument? {
        guard try await authorization.servesIndexDocuments() else { return nil }
        let response = try await send(
            .get,
            endpoint.url(ofFile: RegistryLayout.index(name)),
            of: name,
            headers: entityTag.map { [HeaderField("If-None-Match", $0)] } ?? [],
            limit: FormatLimits.indexDocument
        )
        if response.status == 304 { return .unchanged }
        try response.requireSuccess()
        return .fetched(response.body, entityTag: response["ETag"])
    }

    /// Fetches a file of the registry folder from `ami-zoo serve`; nil from any other registry.
    ///
    /// - Parameters:
    ///   - path: the path in the registry folder.
    ///   - entityTag: the entity tag of the cached copy; nil for an unconditional request.
    ///   - limit: the maximum size in bytes.
    /// - Returns: the content.
    /// - Throws: ``ZooError`` with code `transport.*`.
    func file(_ path: String, entityTag: String?, limit: Int) async throws -> SourceDocument? {
        guard try await authorization.servesIndexDocuments() else { return nil }
        let headers = try await authorization.headers(for: nil, .pull)
        let response = try await transport.send(
            HTTPRequest(
                .get,
                endpoint.url(ofFile: path),
                headers: headers + (entityTag.map { [HeaderField("If-None-Match", $0)] } ?? []),
                limit: limit
            )
        )
        if response.status == 304 { return .unchanged }
        try response.requireSuccess()
        return .fetched(response.body, entityTag: response["ETag"])
    }

    /// Whether the registry announces block-wise uploads.
    ///
    /// - Throws: ``ZooError`` with code `transport.*`.
    func takesBlocks() async throws -> Bool { try await authorization.announcesBlockUploads() }

    /// The URL of a part of a model's repository.
    func url(of name: ModelName, _ path: String) throws(ZooError) -> String {
        endpoint.url(try endpoint.repository(of: name), path)
    }

    /// Fetches a manifest by tag or digest; nil when there is none.
    func manifest(_ reference: String, of name: ModelName, limit: Int) async throws -> [UInt8]? {
        let response = try await send(
            .get,
            url(of: name, "manifests/\(reference)"),
            of: name,
            headers: [Self.accepted],
            limit: limit
        )
        if response.status == 404 { return nil }
        try response.requireSuccess()
        return response.body
    }

    /// Fetches a small blob.
    ///
    /// - Throws: ``ZooError`` with code `transport.not-found`, `transport.document-too-large` or
    ///   `transport.*`.
    func blob(_ digest: BlobDigest, of name: ModelName, limit: Int) async throws -> [UInt8] {
        let response = try await send(
            .get,
            url(of: name, "blobs/\(digest)"),
            of: name,
            limit: limit
        )
        try response.requireSuccess()
        return response.body
    }

    /// Streams a range of a blob.
    func stream(
        _ blob: (digest: ContentDigest, size: Int),
        of name: ModelName,
        range: Range<Int>?,
        into sink: @escaping @Sendable (RawSpan) throws -> Void
    ) async throws {
        let repository = try endpoint.repository(of: name)
        try await transport.stream(
            StreamRequest(
                url: endpoint.url(repository, "blobs/\(blob.digest)"),
                totalSize: blob.size,
                range: range,
                headers: try await authorization.headers(for: repository, .pull)
            ),
            into: sink
        )
    }

    /// Lists the tags of a model's repository; empty when there is no such repository.
    func tags(of name: ModelName) async throws -> [OCITag] {
        var tags: [OCITag] = []
        var next: String? = try url(of: name, "tags/list?n=1000")
        // A registry that always names a next page must not hold the client forever.
        for _ in 0..<100 {
            guard let url = next else { break }
            let response = try await send(.get, url, of: name, limit: 8 << 20)
            if response.status == 404 { break }
            try response.requireSuccess()
            let object = try JSONObject(try JSONValue(parsing: response.body))
            // Some registries answer null for a repository without tags.
            if case .array(let values)? = object.value("tags") {
                for case .string(let text) in values {
                    if let tag = OCITag(parsing: text) { tags.append(tag) }
                }
            }
            next = nextPage(response)
        }
        return tags
    }

    /// The URL in a `Link` header with `rel=next`, RFC 8288.
    private func nextPage(_ response: HTTPResponse) -> String? {
        guard let target = response["Link"].flatMap(LinkHeader.next) else { return nil }
        return target.hasPrefix("/") ? endpoint.origin + target : target
    }

    /// Lists the manifests that are attached to a manifest.
    ///
    /// A registry without the referrers API lists them in an index under the referrers tag.
    ///
    /// - Throws: ``ZooError`` with code `evidence.attachment-too-large` when the list has more pages or entries than a
    ///   client reads, or `transport.*`, `json.*` or `format.*`.
    func referrers(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        var found: [IndexDocument.Attachment] = []
        var next: String? = try url(of: name, "referrers/\(digest)")
        var pages = 0
        while let page = next {
            guard pages < ReferrersIndex.pages, found.count < ReferrersIndex.limit else {
                throw ZooError(
                    .attachmentTooLarge,
                    "\(address) lists more attachments of \(digest) than the \(ReferrersIndex.limit) on "
                        + "\(ReferrersIndex.pages) pages that a client reads",
                    remedy: "tell the owner of \(address)"
                )
            }
            let response = try await send(
                .get,
                page,
                of: name,
                headers: [HeaderField("Accept", ArtifactManifest.indexType)],
                limit: FormatLimits.artifactManifest
            )
            if response.status != 200 {
                guard pages > 0 else {
                    return try await referrersIndex(of: digest, name).index.attachments
                }
                try response.requireSuccess()
            }
            found += try ReferrersIndex(parsing: response.body).attachments
            next = nextPage(response)
            pages += 1
        }
        return found
    }

    /// The index under the referrers tag, and its digest; empty when there is none.
    func referrersIndex(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> (digest: ContentDigest?, index: ReferrersIndex) {
        guard
            let bytes = try await manifest(
                BlobDigest(digest).referrersTag,
                of: name,
                limit: FormatLimits.artifactManifest
            )
        else { return (nil, ReferrersIndex()) }
        return (ContentDigest(of: bytes), try ReferrersIndex(parsing: bytes))
    }
}
