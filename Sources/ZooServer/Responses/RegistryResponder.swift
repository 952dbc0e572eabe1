// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import ZooCore
internal import ZooRegistry

/// Responds to requests for the files of a registry and to those of the OCI API.
struct RegistryResponder: HTTPResponder {
    /// The registry.
    let registry: ServedRegistry
    /// Who may do what.
    let policy: any AccessPolicy
    /// What the server accepts beside releases.
    let options: ServerOptions
    /// The entity tags of documents.
    let tags: EntityTagCache
    /// The thread pool for blocking calls.
    let readers: NIOThreadPool
    /// The access log.
    let log: AccessLog

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let entry = AccessLog.Entry(request.head, from: context.peer)
        var (response, body) = try await answer(request, context)
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
        if target.path == "/healthz", request.method == .get || request.method == .head {
            return (.json(["status": "ok"]), nil)
        }
        let isOCI = target.path == "/v2" || target.path.hasPrefix("/v2/")
        do {
            let credentials = try credentials(of: request)
            if target.path == "/token", request.method == .get {
                let answer = try await token(request, target, credentials, context)
                return (answer ?? .notFound(request.head), nil)
            }
            let access = try await policy.access(credentials, peer: context.address)
            try refuseForeignHost(request)
            if target.path == "/metrics", request.method == .get || request.method == .head {
                return (try metrics(for: request, access), nil)
            }
            let changes = ChangeResponder(registry: registry, policy: policy)
            if let change = try await changes.change(request, target) {
                let repository = RepositoryName(change.name)
                guard access.allows(.publish, in: repository.namespace) else {
                    throw denial(.publish, repository, request, access)
                }
                return (try await changes.respond(to: change, access), nil)
            }
            return isOCI
                ? try await answerOCI(request, target, access)
                : try await answerFile(request.head, target, access)
        } catch let refusal as AccessRefusal {
            var failure = RequestFailure(
                refusal.status,
                refusal.status == .tooManyRequests ? .tooManyRequests : .unauthorized,
                refusal.error
            )
            failure.fields[.retryAfter] = refusal.retryAfter.map(String.init)
            if refusal.status == .unauthorized { challenge(request, nil, &failure) }
            return (refuse(failure, isOCI: isOCI), nil)
        } catch let failure as RequestFailure {
            return (refuse(failure, isOCI: isOCI), nil)
        } catch let error as ZooError {
            let failure = RequestFailure(registry.redacted(error))
            if failure.status.kind == .serverError { log.failure(error) }
            return (refuse(failure, isOCI: isOCI), nil)
        }
    }

    // MARK: Credentials

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

    /// Without accounts, refuses changes by those who do not address this machine as itself.
    private func refuseForeignHost(_ request: Request) throws(RequestFailure) {
        guard policy is OpenPolicy, policy.isWritable, request.method != .get,
            request.method != .head,
            !ListenAddress.isLoopback(hostHeader: request.head.authority ?? "")
        else { return }
        throw RequestFailure(
            .forbidden,
            .denied,
            ZooError(
                .accessDenied,
                "without accounts, this server accepts changes from this machine only",
                remedy: "use 'localhost' or a loopback address, or ask the operator for accounts: "
                    + "'ami-zoo serve --state DIR'"
            )
        )
    }

    /// The answer of the token endpoint; nil when there is none.
    private func token(
        _ request: Request,
        _ target: RequestTarget,
        _ credentials: RequestCredentials?,
        _ context: ConnectionContext
    ) async throws -> Response? {
        let answer = try await policy.token(
            TokenRequest(
                credentials: credentials,
                peer: context.address,
                service: target.value("service"),
                scopes: target.values("scope"),
                origin: origin(of: request)
            )
        )
        guard let answer else { return nil }
        var response = Response.json(answer)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func origin(of request: Request) -> String {
        "\(request.head.scheme ?? "http")://\(request.head.authority ?? "")"
    }

    func challenge(_ request: Request, _ scope: String?, _ failure: inout RequestFailure) {
        for challenge in policy.challenges(scope: scope, origin: origin(of: request)) {
            failure.fields.append(HTTPField(name: .wwwAuthenticate, value: challenge))
        }
    }

    /// Refuses a request that its sender may not make: with 401 where other credentials would help.
    private func denial(
        _ action: RegistryAction,
        _ repository: RepositoryName?,
        _ request: Request,
        _ access: Access
    ) -> RequestFailure {
        // A short-lived token has the scopes that it was asked for, and another may have more.
        if access.subject == nil || access.isSession {
            var failure = RequestFailure(
                .unauthorized,
                .unauthorized,
                ZooError(
                    .unauthorized,
                    "this needs credentials",
                    remedy: "run 'ami-zoo login' with a token of this registry"
                )
            )
            let actions = action == .read ? "pull" : action == .publish ? "pull,push" : "delete"
            challenge(request, repository.map { "repository:\($0):\(actions)" }, &failure)
            if repository == nil { failure.fields[.zooAPI] = ZooAPI.announcement }
            // Without a challenge, credentials do not help.
            if failure.fields[.wwwAuthenticate] != nil { return failure }
        }
        let error =
            registry.writer == nil && action != .read
            ? ZooError.readOnly : .notAllowed(action, repository?.namespace ?? Access.everywhere)
        return RequestFailure(.forbidden, .denied, error)
    }

    // MARK: OCI

    private func answerOCI(
        _ request: Request,
        _ target: RequestTarget,
        _ access: Access
    ) async throws -> (Response, FileBody?) {
        let resource = try OCIResource(path: target.path)
        let needed: RegistryAction =
            switch request.method {
            case .get, .head: .read
            case .delete where resource.isPublished: .admin
            default: .publish
            }
        let isAllowed =
            if let namespace = resource.repository?.namespace {
                access.allows(.read, in: namespace) && access.allows(needed, in: namespace)
            } else {
                // Clients take 200 for "needs no credentials", and never ask for a token then.
                access.subject != nil || policy.challenges(scope: nil, origin: "").isEmpty
            }
        guard isAllowed else { throw denial(needed, resource.repository, request, access) }
        let responder = OCIResponder(
            registry: registry,
            policy: policy,
            options: options,
            readers: readers
        )
        let call = OCIResponder.Call(request: request, target: target, access: access)
        return try await responder.respond(to: call, for: resource)
    }

    // MARK: Files

    private func answerFile(
        _ request: HTTPRequest,
        _ target: RequestTarget,
        _ access: Access
    ) async throws -> (Response, FileBody?) {
        guard request.method == .get || request.method == .head else {
            let error = ZooError(.methodNotAllowed, "this path is read-only")
            var response = Response.failure(error, status: .methodNotAllowed)
            response.headers[.allow] = "GET, HEAD"
            return (response, nil)
        }
        guard let resource = RegistryResource(target), access.allows(.read, in: resource.namespace)
        else { return (.notFound(request), nil) }
        do {
            let found = try await readers.runIfActive { [registry, tags] in
                try registry.folder.open(resource).map { ($0, try tags.tag(of: $0, as: resource)) }
            }
            guard let (file, tag) = found else { return (.notFound(request), nil) }
            let delivery = Delivery(request, tag: tag, size: file.size)
            let response = Response.file(resource, tag: tag, size: file.size, delivery: delivery)
            return (response, delivery.body(of: file, for: request, readers))
        } catch {
            return (internalFailure(error), nil)
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

    // MARK: Refusals

    private func refuse(
        _ failure: RequestFailure,
        isOCI: Bool
    ) -> Response {
        var response =
            isOCI
            ? Response.failure(failure) : Response.failure(failure.error, status: failure.status)
        for field in failure.fields where !isOCI { response.headers.append(field) }
        return response
    }
}

extension RegistryResource {
    /// The namespace that a reader of the resource must be allowed to read.
    fileprivate var namespace: String {
        switch self {
        case .index(let name): name.namespace
        case .description, .imageLayout, .imageIndex, .catalogue, .blob: Access.everywhere
        }
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
