// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import ZooCore

/// Responds to requests for the files of a registry.
struct RegistryResponder: HTTPResponder {
    /// The served folder.
    let folder: ServedFolder
    /// The entity tags of documents.
    let tags: EntityTagCache
    /// The thread pool for blocking calls.
    let readers: NIOThreadPool
    /// The access log.
    let log: AccessLog

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let entry = AccessLog.Entry(request.head, from: context.peer)
        var (response, body) = await answer(request.head)
        if request.headers[.connection] == ConnectionPersistenceHandler.close {
            response.headers[.connection] = ConnectionPersistenceHandler.close
        }
        if let body {
            response.body = ResponseBody(contentLength: body.range.count) {
                [log, response] writer in
                var sent = 0
                do {
                    try await body.write(to: &writer, sent: &sent)
                    try await writer.finish(nil)
                    log.record(entry, status: response.status, sent: sent)
                } catch {
                    log.record(entry, status: response.status, sent: sent, failure: error)
                    throw error
                }
            }
        } else {
            if request.method == .head { response = response.createHeadResponse() }
            let sent = response.body.contentLength ?? 0
            log.record(entry, status: response.status, sent: sent)
        }
        return response
    }

    /// The response, and the file range that is its body; nil without a body.
    private func answer(_ request: HTTPRequest) async -> (Response, FileBody?) {
        guard request.method == .get || request.method == .head else {
            let error = ZooError(.methodNotAllowed, "this registry is read-only")
            var response = Response.failure(error, status: .methodNotAllowed)
            response.headers[.allow] = "GET, HEAD"
            return (response, nil)
        }
        guard let resource = RegistryResource(requestTarget: request.path ?? "") else {
            return (.notFound(request), nil)
        }
        do {
            let found = try await readers.runIfActive { [folder, tags] in
                try folder.open(resource).map { ($0, try tags.tag(of: $0, as: resource)) }
            }
            guard let (file, tag) = found else { return (.notFound(request), nil) }
            let delivery = Delivery(request, tag: tag, size: file.size)
            let response = Response.file(resource, tag: tag, size: file.size, delivery: delivery)
            return (response, body(of: file, delivery, for: request))
        } catch {
            return (internalFailure(error), nil)
        }
    }

    private func body(
        of file: ServedFile,
        _ delivery: Delivery,
        for request: HTTPRequest
    ) -> FileBody? {
        guard request.method == .get, file.size > 0 else { return nil }
        switch delivery {
        case .whole: return FileBody(file: file, range: 0..<file.size, readers: readers)
        case .part(let range): return FileBody(file: file, range: range, readers: readers)
        case .notModified, .preconditionFailed, .unsatisfiable: return nil
        }
    }

    /// The response to a failure; details go to the log and are not sent to the client.
    private func internalFailure(_ error: any Error) -> Response {
        log.failure(error)
        guard let error = error as? ZooError, error.code != .overloaded else {
            var response = Response.failure(
                ZooError(.overloaded, "the server is overloaded; try again later"),
                status: .serviceUnavailable
            )
            response.headers[.retryAfter] = "1"
            return response
        }
        return .failure(
            ZooError(.fileUnreadable, "the file cannot be read"),
            status: .internalServerError
        )
    }
}

extension Response {
    fileprivate static func notFound(_ request: HTTPRequest) -> Response {
        let path = request.path ?? ""
        return failure(
            ZooError(.pathNotFound, "there is no '\(path.prefix(200))' in this registry"),
            status: .notFound
        )
    }
}
