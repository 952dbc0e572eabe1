// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

extension OCIResponder {
    func startUpload(in repository: RepositoryName, _ call: Call) async throws -> Response {
        let writer = try writer()
        if let mounted = try await mount(into: repository, call, writer) { return mounted }
        let digest = try call.target.value("digest").map { text in try accepted(text) }
        if let digest, let table = call.target.value("blocks") {
            return try await startBlocks(of: digest, table, in: repository, call, writer)
        }
        let upload = try await blocking { try writer.uploads.start(in: repository) }
        defer { upload.release() }
        guard let digest else { return try progress(of: upload, status: .accepted) }
        do {
            try await receive(call, into: upload)
        } catch {
            // A client cannot know the name of an upload in one request, so it cannot resume it.
            try? await blocking { upload.discard() }
            throw error
        }
        return try await finish(upload, as: digest)
    }

    func continueUpload(
        _ id: UploadID,
        in repository: RepositoryName,
        _ call: Call
    ) async throws -> Response {
        let writer = try writer()
        let session = try await blocking { try writer.uploads.session(of: id, in: repository) }
        if session.blocks != nil {
            return try await continueBlocks(id, in: repository, call, writer)
        }
        let upload = try await blocking { try writer.uploads.open(id, in: repository) }
        defer { upload.release() }
        switch call.method {
        case .get, .head: return try progress(of: upload, status: .noContent)
        case .delete:
            try await blocking { upload.discard() }
            return Response(status: .noContent)
        case .patch:
            try await receive(call, into: upload)
            return try progress(of: upload, status: .accepted)
        default:
            guard let text = call.target.value("digest") else {
                throw RequestFailure(
                    .badRequest,
                    .digestInvalid,
                    ZooError(
                        .digestMalformed,
                        "the request has no digest",
                        remedy: "end the upload with PUT and '?digest=sha256:…'"
                    )
                )
            }
            let digest = try accepted(text)
            try await receive(call, into: upload)
            return try await finish(upload, as: digest)
        }
    }

    /// Parses the digest of a blob to store.
    func accepted(_ text: String) throws -> BlobDigest {
        let digest = try BlobDigest(parsing: text)
        guard digest.algorithm == .sha256 || options.acceptsAnyArtifact else {
            throw RequestFailure(
                .badRequest,
                .unsupported,
                ZooError(
                    .artifactNotAccepted,
                    "this registry accepts SHA-256 digests",
                    remedy: "use SHA-256; 'ami-zoo serve --accept any' accepts SHA-512 as well"
                )
            )
        }
        return digest
    }

    /// Makes a blob of another repository readable in this one; nil when it must be uploaded.
    private func mount(
        into repository: RepositoryName,
        _ call: Call,
        _ writer: ServedRegistry.Writer
    ) async throws -> Response? {
        guard let text = call.target.value("mount"), let digest = try? BlobDigest(parsing: text),
            let source = call.target.value("from"),
            // A repository of another registry is not there.
            let source = registry.repository(at: source),
            // What the sender may not read answers like what is not there.
            call.access.allows(.read, in: source.namespace)
        else { return nil }
        let isMounted = try await blocking { [registry] in
            guard try registry.mayRead(digest, in: source),
                try writer.registry.blobs.keep(digest)
            else { return false }
            try writer.uploads.links.add(digest, to: repository)
            return true
        }
        return isMounted ? created(digest, in: repository) : nil
    }

    // MARK: Bytes

    /// The bytes that are collected before they are written.
    static let piece = 256 << 10

    /// Appends the body of a request to an upload.
    private func receive(_ call: Call, into upload: Upload) async throws {
        let request = call.request
        let stated = request.statedLength
        if let stated {
            guard stated <= FormatLimits.largestFile else {
                throw ZooError(
                    .uploadTooLarge,
                    "the request states \(stated) bytes, more than the \(FormatLimits.largestFile) that "
                        + "a file may have"
                )
            }
            try await policy.admit(upload: stated, by: call.access)
        }
        let start = try await blocking { try upload.size() }
        let length = try expectedLength(of: request, from: start, upload)
        var pending = ByteBuffer()
        var received = 0
        func flush() async throws {
            guard pending.readableBytes > 0 else { return }
            if stated == nil {
                try await policy.admit(upload: pending.readableBytes, by: call.access)
            }
            try await append(pending, to: upload)
            pending.clear()
        }
        do {
            for try await var part in request.body {
                received += part.readableBytes
                pending.writeBuffer(&part)
                if pending.readableBytes >= Self.piece { try await flush() }
            }
        } catch  where !(error is ZooError || error is AccessRefusal) {
            // The client broke off, and may continue where the upload ends.
            try? await flush()
            throw error
        }
        try await flush()
        guard let length, length != received else { return }
        try await blocking { try upload.truncate(to: start) }
        throw RequestFailure(
            .badRequest,
            .sizeInvalid,
            ZooError(
                .uploadOutOfOrder,
                "the request has \(received) bytes, and its range has \(length)"
            )
        )
    }

    private func append(_ bytes: ByteBuffer, to upload: Upload) async throws {
        try await blocking {
            // The bytes are read only during the call.
            let outcome: Result<Void, ZooError> = unsafe bytes.withUnsafeReadableBytes { bytes in
                do throws(ZooError) {
                    return .success(unsafe try upload.append(bytes))
                } catch {
                    return .failure(error)
                }
            }
            try outcome.get()
        }
    }

    /// The number of bytes that the range of a request states; nil without a range.
    ///
    /// - Throws: ``RequestFailure`` with status 416 when the range does not begin where the upload ends.
    private func expectedLength(
        of request: Request,
        from start: Int,
        _ upload: Upload
    ) throws -> Int? {
        guard let range = try contentRange(of: request) else { return nil }
        let first = range.lowerBound
        guard first == start else {
            var failure = RequestFailure(
                ZooError(
                    .uploadOutOfOrder,
                    "the upload has \(start) bytes, and the range begins at \(first)",
                    remedy: "continue at byte \(start)"
                )
            )
            failure.fields[.range] = Self.range(start)
            failure.fields[.location] = location(upload.id, in: upload.session.repository)
            throw failure
        }
        return range.count
    }

    /// The range of bytes that a request states; nil without one.
    func contentRange(of request: Request) throws(RequestFailure) -> Range<Int>? {
        guard let header = request.headers[.contentRange] else { return nil }
        // The OCI form is "0-99"; some clients write the form of HTTP, "bytes 0-99/*".
        let text = header.hasPrefix("bytes ") ? header.dropFirst(6) : header[...]
        // Empty parts are kept: "-1-99" is not "1-99".
        let bounds = text.prefix { $0 != "/" }
            .split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first >= 0,
            last >= first, last < Int.max
        else {
            throw RequestFailure(
                .badRequest,
                .blobUploadInvalid,
                ZooError(.requestInvalid, "'\(header.prefix(80))' is not a range such as '0-99'")
            )
        }
        return first..<last + 1
    }

    private func finish(_ upload: Upload, as digest: BlobDigest) async throws -> Response {
        try await BlockingWork.run { cancellation in try upload.finish(as: digest, cancellation) }
        return created(digest, in: upload.session.repository)
    }

    // MARK: Responses

    func created(_ digest: BlobDigest, in repository: RepositoryName) -> Response {
        var response = Response(status: .created)
        response.headers[.location] = "/v2/\(registry.address(of: repository))/blobs/\(digest)"
        response.headers[.contentDigest] = digest.description
        return response
    }

    private func progress(
        of upload: Upload,
        status: HTTPResponse.Status
    ) throws -> Response {
        var response = Response(status: status)
        response.headers[.location] = location(upload.id, in: upload.session.repository)
        response.headers[.uploadIdentifier] = upload.id.description
        response.headers[.range] = Self.range(try upload.size())
        return response
    }

    func location(_ id: UploadID, in repository: RepositoryName) -> String {
        "/v2/\(registry.address(of: repository))/blobs/uploads/\(id)"
    }

    /// The range of the bytes so far; `0-0` for none, because the form cannot express an empty range.
    private static func range(_ size: Int) -> String { "0-\(max(0, size - 1))" }
}
