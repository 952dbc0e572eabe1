// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// Block-wise uploads, `registry/SPEC.md` section 8.1.
extension OCIResponder {
    /// Starts or continues the upload of an archive, or answers that the repository has it.
    func startBlocks(
        of archive: BlobDigest,
        _ table: String,
        in repository: RepositoryName,
        _ call: Call,
        _ writer: ServedRegistry.Writer
    ) async throws -> Response {
        let table = try BlobDigest(parsing: table)
        guard let target = sessionBlocks(archive, table, call) else {
            throw RequestFailure(
                .badRequest,
                .digestInvalid,
                ZooError(.digestMalformed, "archives and block tables have SHA-256 digests")
            )
        }
        let isThere = try await blocking { [registry] in
            try registry.mayRead(archive, in: repository) && writer.registry.blobs.keep(archive)
        }
        if isThere { return created(archive, in: repository) }
        let isReadable = try await blocking { [registry] in
            try registry.mayRead(table, in: repository) && writer.registry.blobs.keep(table)
        }
        guard isReadable else {
            throw RequestFailure(
                .notFound,
                .blobUnknown,
                ZooError(
                    .blobMissing,
                    "the repository has no blob \(table)",
                    remedy: "upload the block table first"
                )
            )
        }
        let stored = RepositoryBlocks(writer.registry, registry.contents)
        let (id, missing) = try await BlockingWork.run { _ in
            let upload = try writer.uploads.startBlocks(of: target, in: repository)
            defer { upload.release() }
            return (upload.id, try upload.missing(reusing: stored))
        }
        return list(missing, of: id, in: repository, status: .accepted)
    }

    private func sessionBlocks(
        _ archive: BlobDigest,
        _ table: BlobDigest,
        _ call: Call
    ) -> UploadSession.Blocks? {
        guard let archive = archive.contentDigest, let table = table.contentDigest else {
            return nil
        }
        return UploadSession.Blocks(
            archive: archive,
            table: table,
            subject: call.access.subject
        )
    }

    func continueBlocks(
        _ id: UploadID,
        in repository: RepositoryName,
        _ call: Call,
        _ writer: ServedRegistry.Writer
    ) async throws -> Response {
        let ends = call.method == .put || call.method == .delete
        let upload = try await blocking {
            try writer.uploads.openBlocks(
                id,
                by: call.access.subject,
                in: repository,
                ends ? .exclusive : .shared
            )
        }
        defer { upload.release() }
        let stored = RepositoryBlocks(writer.registry, registry.contents)
        switch call.method {
        case .get, .head:
            let missing = try await BlockingWork.run { _ in
                try upload.missing(reusing: stored)
            }
            return list(missing, of: id, in: repository, status: .ok)
        case .delete:
            try await blocking { upload.discard() }
            return Response(status: .noContent)
        case .patch:
            try await receive(call, into: upload)
            var response = Response(status: .accepted)
            response.headers[.location] = location(id, in: repository)
            response.headers[.uploadIdentifier] = id.description
            return response
        default:
            return try await finish(upload, reusing: stored, call)
        }
    }

    // MARK: Bytes

    /// Writes the body of a request to its place in the archive.
    private func receive(_ call: Call, into upload: BlockUpload) async throws {
        guard let range = try contentRange(of: call.request) else {
            throw RequestFailure(
                .badRequest,
                .blobUploadInvalid,
                ZooError(
                    .requestInvalid,
                    "the request has no Content-Range",
                    remedy: "send 'Content-Range: FIRST-LAST' with the bytes of that range"
                )
            )
        }
        let stated = call.request.headers[.contentLength].flatMap { Int($0) }
        if let stated, stated != range.count { throw otherLength(stated, range) }
        var piece = try await blocking { try upload.piece(range) }
        if let stated { try await policy.admit(upload: stated, by: call.access) }
        var pending = ByteBuffer()
        func flush() async throws {
            guard pending.readableBytes > 0 else { return }
            guard pending.readableBytes <= piece.rest.count else {
                throw otherLength(range.count - piece.rest.count + pending.readableBytes, range)
            }
            if stated == nil {
                try await policy.admit(upload: pending.readableBytes, by: call.access)
            }
            piece = try await append(pending, to: piece)
            pending.clear()
        }
        do {
            for try await var part in call.request.body {
                pending.writeBuffer(&part)
                if pending.readableBytes >= Self.piece { try await flush() }
            }
        } catch  where !(error is ZooError || error is AccessRefusal || error is RequestFailure) {
            // The client broke off; the blocks that arrived whole need not be sent again.
            try? await flush()
            throw error
        }
        try await flush()
        guard piece.rest.isEmpty else {
            throw otherLength(range.count - piece.rest.count, range)
        }
    }

    private func append(
        _ bytes: ByteBuffer,
        to piece: BlockUpload.Piece
    ) async throws -> BlockUpload.Piece {
        try await blocking {
            // The bytes are read only during the call.
            let outcome: Result<BlockUpload.Piece, ZooError> = unsafe bytes.withUnsafeReadableBytes
            {
                bytes in
                var piece = piece
                do throws(ZooError) {
                    unsafe try piece.append(bytes)
                    return .success(piece)
                } catch {
                    return .failure(error)
                }
            }
            return try outcome.get()
        }
    }

    private func otherLength(_ length: Int, _ range: Range<Int>) -> RequestFailure {
        RequestFailure(
            .badRequest,
            .sizeInvalid,
            ZooError(
                .uploadRange,
                "the request has \(length) bytes or more, and its range has \(range.count)",
                remedy: "send exactly the bytes of the range"
            )
        )
    }

    // MARK: Ending

    private func finish(
        _ upload: BlockUpload,
        reusing stored: RepositoryBlocks,
        _ call: Call
    ) async throws -> Response {
        let archive = BlobDigest(upload.archive)
        if let text = call.target.value("digest"), try accepted(text) != archive {
            throw RequestFailure(
                .badRequest,
                .digestInvalid,
                ZooError(.uploadMismatch, "the upload was started for \(archive), not for \(text)")
            )
        }
        for try await part in call.request.body where part.readableBytes > 0 {
            throw RequestFailure(
                .badRequest,
                .sizeInvalid,
                ZooError(
                    .requestInvalid,
                    "the request that ends a block-wise upload has a body",
                    remedy: "send the bytes with PATCH before"
                )
            )
        }
        // A task of its own: a client that stops waiting for the check of a large archive must not end
        // the check, or no attempt would reach the end.
        try await Task {
            try await BlockingWork.run { cancellation in
                try upload.finish(reusing: stored, cancellation)
            }
        }.value
        return created(archive, in: upload.session.repository)
    }

    // MARK: Responses

    /// The ranges that are still to be sent: `{"missing":[{"start":0,"end":1048576}]}`.
    private func list(
        _ missing: [Range<Int>],
        of id: UploadID,
        in repository: RepositoryName,
        status: HTTPResponse.Status
    ) -> Response {
        var response = Response.json([
            "missing": .array(
                missing.map {
                    ["start": .integer($0.lowerBound), "end": .integer($0.upperBound)]
                }
            )
        ])
        response.status = status
        response.headers[.location] = location(id, in: repository)
        response.headers[.uploadIdentifier] = id.description
        return response
    }
}
