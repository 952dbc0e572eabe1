// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import ZooCore
internal import ZooRegistry

/// Answers requests for the files of one registry, changes of it, and those of the OCI API.
struct RegistryResponder: Sendable {
    /// The registry.
    let registry: ServedRegistry
    /// The namespaces that nobody may change, because other registries are mounted under their names.
    let reserved: Set<String>
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

    /// The response, and the file range that is its body; nil without one.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - target: its target in this registry.
    ///   - access: what the sender may do in this registry.
    ///   - isOCI: whether the request is one of the OCI API.
    /// - Returns: the response and its body.
    /// - Throws: an error that ``refusal(_:_:isOCI:)`` answers, or what reading the body of the request
    ///   throws when the client is gone.
    func answer(
        _ request: Request,
        _ target: RequestTarget,
        _ access: Access,
        isOCI: Bool
    ) async throws -> (Response, FileBody?) {
        let access = access.withoutChanges(in: reserved)
        try refuseForeignHost(request)
        if isOCI { return try await answerOCI(request, target, access) }
        if let name = SignedSubmission.model(at: String(target.path)) {
            let repository = RepositoryName(name)
            guard access.allows(.publish, in: repository.namespace) else {
                throw denial(.publish, repository, request, access)
            }
            let submissions = SubmissionResponder(registry: registry, policy: policy)
            return (try await submissions.respond(to: request, of: name, access), nil)
        }
        let changes = ChangeResponder(registry: registry, policy: policy)
        if let change = try await changes.change(request, target) {
            let repository = RepositoryName(change.name)
            guard access.allows(.publish, in: repository.namespace) else {
                throw denial(.publish, repository, request, access)
            }
            return (try await changes.respond(to: change, access), nil)
        }
        return try await answerFile(request.head, target, access)
    }

    // MARK: Credentials

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
    ///
    /// - Throws: ``AccessRefusal``.
    func token(_ request: Request, _ route: MountTable.Route, peer: String) async throws
        -> Response?
    {
        let answer = try await policy.token(
            TokenRequest(
                credentials: route.credentials,
                peer: peer,
                service: route.target.value("service"),
                scopes: route.target.values("scope"),
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
        failure.fields[.wwwAuthenticate] = policy.challenge(
            scope: scope,
            origin: origin(of: request)
        )
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
            challenge(
                request,
                repository.map { "repository:\(registry.address(of: $0)):\(actions)" },
                &failure
            )
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
                access.subject != nil || policy.challenge(scope: nil, origin: "") == nil
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
        guard let resource = RegistryResource(target), resource.isReadable(access) else {
            return (.notFound(request), nil)
        }
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

    /// The response to an error; nil when it says that the client is gone.
    func refusal(_ error: any Error, _ request: Request, isOCI: Bool) -> Response? {
        switch error {
        case let refusal as AccessRefusal:
            var failure = RequestFailure(
                refusal.status,
                refusal.status == .tooManyRequests ? .tooManyRequests : .unauthorized,
                refusal.error
            )
            failure.fields[.retryAfter] = refusal.retryAfter.map(String.init)
            if refusal.status == .unauthorized { challenge(request, nil, &failure) }
            return refuse(failure, isOCI: isOCI)
        case let failure as RequestFailure: return refuse(failure, isOCI: isOCI)
        case let error as ZooError:
            let failure = RequestFailure(registry.redacted(error))
            if failure.status.kind == .serverError { log.failure(error) }
            return refuse(failure, isOCI: isOCI)
        default: return nil
        }
    }

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
    /// Whether somebody may read the resource.
    fileprivate func isReadable(_ access: Access) -> Bool {
        switch self {
        case .index(let name): return access.allows(.read, in: name.namespace)
        case .revision(let revision): return access.allows(.read, in: revision.name.namespace)
        case .metadata(let name):
            // A version and a role, which is a namespace unless the role is one of the top level.
            let role = name.split(separator: ".").dropFirst().dropLast().joined(separator: ".")
            let isTop = ["", "root", "targets", "snapshot"].contains(role)
            // Without those nobody could verify what he may read.
            if isTop, access.subject != nil { return true }
            return access.allows(.read, in: isTop ? Access.everywhere : role)
        case .description, .imageLayout, .imageIndex, .catalogue, .blob:
            return access.allows(.read, in: Access.everywhere)
        }
    }
}

extension Response {
    /// Creates the response for a path that does not exist, or that its sender may not know.
    static func notFound(_ request: HTTPRequest) -> Response {
        let path = request.path ?? ""
        return failure(
            ZooError(.pathNotFound, "there is no '\(path.prefix(200))' in this registry"),
            status: .notFound
        )
    }
}
