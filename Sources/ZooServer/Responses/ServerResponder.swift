// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import ZooCore

/// Responds to all requests of a server: to those about the server itself, and through a registry.
struct ServerResponder: HTTPResponder {
    /// The registries.
    let mounts: MountTable
    /// The access log.
    let log: AccessLog

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let entry = AccessLog.Entry(request.head, from: context.peer)
        var (response, body) = try await answer(request, context)
        if request.headers[.connection] == ConnectionPersistenceHandler.close {
            response.headers[.connection] = ConnectionPersistenceHandler.close
        }
        if let body {
            let (channel, isEncrypted) = (context.channel, request.head.scheme == "https")
            response.body = ResponseBody(contentLength: body.range.count) {
                [log, response] writer in
                var sent = 0
                do {
                    try await body.write(
                        to: &writer,
                        on: channel,
                        isEncrypted: isEncrypted,
                        sent: &sent
                    )
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

    /// The response, and the file range that is its body; nil without one.
    ///
    /// - Throws: what reading the body of the request throws, when the client is gone.
    private func answer(
        _ request: Request,
        _ context: ConnectionContext
    ) async throws -> (Response, FileBody?) {
        guard let target = RequestTarget(parsing: request.head.path ?? "") else {
            return (.notFound(request.head), nil)
        }
        let isReading = request.method == .get || request.method == .head
        if target.path == "/healthz", isReading { return (.json(["status": "ok"]), nil) }
        let isOCI = target.path == "/v2" || target.path.hasPrefix("/v2/")
        var registry = mounts.main
        do {
            let route = try await mounts.route(target, try credentials(of: request))
            registry = route.registry
            if target.path == "/token", request.method == .get {
                let answer = try await registry.token(request, route, peer: context.address)
                return (answer ?? .notFound(request.head), nil)
            }
            let access = try await registry.policy.access(
                route.credentials,
                peer: context.address
            )
            if target.path == "/metrics", isReading {
                return (try metrics(for: request, access), nil)
            }
            return try await registry.answer(request, route.target, access, isOCI: isOCI)
        } catch {
            guard let response = registry.refusal(error, request, isOCI: isOCI) else { throw error }
            return (response, nil)
        }
    }

    /// The credentials of a request; nil without any.
    ///
    /// - Throws: ``AccessRefusal`` with status 401 when there are several, or they cannot be understood:
    ///   their sender is not anonymous.
    private func credentials(of request: Request) throws(AccessRefusal) -> RequestCredentials? {
        let headers = request.headers[values: .authorization]
        guard let header = headers.first else { return nil }
        guard headers.count == 1, let credentials = RequestCredentials(parsing: header) else {
            throw AccessRefusal(
                .unauthorized,
                ZooError(
                    .unauthorized,
                    "the Authorization header is neither 'Bearer' nor 'Basic' with a token",
                    remedy: "run 'ami-zoo login' with a token of this registry"
                )
            )
        }
        return credentials
    }
}
