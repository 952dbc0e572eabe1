// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTransport

/// Writing to the repositories.
extension OCIRepositories {
    /// The origin and prefix.
    var address: String {
        endpoint.origin + (endpoint.prefix.isEmpty ? "" : "/\(endpoint.prefix.dropLast())")
    }

    // MARK: Blobs

    /// Whether the registry has a blob in the model's repository.
    func holds(_ blob: ContentDigest, of name: ModelName) async throws -> Bool {
        let response = try await send(.head, url(of: name, "blobs/\(blob)"), of: name, .push)
        if response.status == 404 { return false }
        try response.requireSuccess()
        return true
    }

    /// Uploads a small blob.
    func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        let digest = ContentDigest(of: bytes)
        if try await !holds(digest, of: name) {
            let location = try await startUpload(of: name)
            try await finish(location, digest, of: name, body: RequestBody(bytes))
        }
        return digest
    }

    /// Starts an upload.
    ///
    /// - Returns: the URL that takes the bytes.
    func startUpload(of name: ModelName) async throws -> String {
        let response = try await send(.post, url(of: name, "blobs/uploads/"), of: name, .push)
        try requireAccepted(response)
        guard let location = response.location else {
            throw unexpected("it named no location for the upload")
        }
        return location
    }

    /// Completes an upload, with the last bytes as its body.
    func finish(
        _ location: String,
        _ digest: ContentDigest,
        of name: ModelName,
        body: RequestBody
    ) async throws {
        let separator = location.contains("?") ? "&" : "?"
        let response = try await send(
            .put,
            "\(location)\(separator)digest=\(OCIEndpoint.escaped(digest.description))",
            of: name,
            .push,
            headers: [HeaderField("Content-Type", "application/octet-stream")],
            body: body
        )
        try requireAccepted(response)
    }

    // MARK: Manifests

    /// Sends a manifest or an index.
    ///
    /// - Parameters:
    ///   - manifest: the document.
    ///   - type: its media type.
    ///   - reference: a tag, or its digest.
    ///   - name: the model whose repository is meant.
    ///   - isIdempotent: whether it is sent again when it may have arrived.
    /// - Returns: the response.
    /// - Throws: the registry's own code and message when it refused.
    @discardableResult
    func push(
        _ manifest: [UInt8],
        _ type: String,
        as reference: String,
        of name: ModelName,
        isIdempotent: Bool = true
    ) async throws -> HTTPResponse {
        let response = try await send(
            manifest,
            type,
            as: reference,
            of: name,
            isIdempotent: isIdempotent
        )
        try requireAccepted(response)
        return response
    }

    /// Sends a manifest or an index, and returns the response, whatever its status.
    func send(
        _ manifest: [UInt8],
        _ type: String,
        as reference: String,
        of name: ModelName,
        isIdempotent: Bool = true
    ) async throws -> HTTPResponse {
        try await send(
            .put,
            url(of: name, "manifests/\(reference)"),
            of: name,
            .push,
            headers: [HeaderField("Content-Type", type)],
            body: RequestBody(manifest),
            isIdempotent: isIdempotent
        )
    }

    // MARK: Failures

    /// The error for an answer that the specification does not allow.
    func unexpected(_ what: String) -> ZooError {
        ZooError(
            .statusUnexpected,
            "the registry at \(address) does not follow the OCI specification: \(what)",
            remedy: "run the command again; if it fails again, tell the registry's operator"
        )
    }

    /// Throws the registry's own code and message when it sent them.
    func requireAccepted(_ response: HTTPResponse) throws {
        guard !(200...299).contains(response.status) else { return }
        do {
            try response.requireSuccess()
        } catch {
            guard let refusal = OCIRefusal(response.body) else { throw error }
            throw refusal.error(from: address, after: error)
        }
    }
}
