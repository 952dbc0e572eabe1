// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTransport

/// Obtains the `Authorization` header for the requests to one registry.
///
/// The registry says once, in its answer to `GET /v2/`, which scheme it wants: none, Basic, or Bearer
/// with a token from a token endpoint. Source: opencontainers/distribution-spec and
/// distribution/distribution, `docs/content/spec/auth/token.md`.
package actor OCIAuthorization {
    /// What a request does to a repository.
    enum Access: String, Sendable {
        case pull
        case push = "pull,push"
    }

    private enum Scheme {
        case none
        case basic(String)
        case bearer(realm: String, service: String?, RegistryCredentials?)
    }

    private let endpoint: OCIEndpoint
    private let transport: HTTPTransport
    private let credentials: RegistryCredentials.Lookup
    private var isZooServer = false
    private var takesBlocks = false
    /// One question for all requests that wait for its answer.
    private var scheme: SharedAnswer<Scheme>?
    private var tokens: [String: (header: String, expiry: ContinuousClock.Instant)] = [:]

    /// Authorises requests to the registry at an address.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    package init(
        base: String,
        transport: HTTPTransport,
        credentials: RegistryCredentials
    ) throws(ZooError) {
        self.init(try OCIEndpoint(base: base), transport: transport) { _ in credentials }
    }

    init(
        _ endpoint: OCIEndpoint,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup
    ) {
        self.endpoint = endpoint
        self.transport = transport
        self.credentials = credentials
    }

    /// The headers that authorise a request; empty for a registry without authentication.
    ///
    /// - Parameters:
    ///   - repository: the repository; nil for what belongs to none, which needs all rights of the
    ///     credentials.
    ///   - access: what the request does.
    /// - Returns: the headers.
    /// - Throws: ``ZooError`` with code `transport.login-required`, `transport.forbidden`,
    ///   `registry.not-a-registry` when the server has no OCI API, or `transport.*`.
    func headers(for repository: RepositoryName?, _ access: Access) async throws -> [HeaderField] {
        switch try await knownScheme() {
        case .none: return []
        case .basic(let value): return [HeaderField("Authorization", value)]
        case .bearer(let realm, let service, let credentials):
            let scope = repository.map { "repository:\($0):\(access.rawValue)" }
            if let known = tokens[scope ?? ""], known.expiry > .now {
                return [HeaderField("Authorization", known.header)]
            }
            let (token, lifetime) = try await fetchToken(realm, service, scope, credentials)
            let header = "Bearer \(token)"
            // Renewed early, so that a request that starts now does not outlive its token.
            tokens[scope ?? ""] = (header, .now + .seconds(max(5, lifetime - 15)))
            return [HeaderField("Authorization", header)]
        }
    }

    /// Checks that the registry accepts the credentials.
    ///
    /// - Returns: false when the registry asks for none, so that nothing was checked.
    /// - Throws: as ``headers(for:_:)``.
    package func verify() async throws -> Bool {
        switch try await knownScheme() {
        case .none: return false
        case .basic(let value):
            let response = try await transport.send(
                HTTPRequest(
                    .get,
                    "\(endpoint.origin)/v2/",
                    headers: [HeaderField("Authorization", value)]
                )
            )
            guard response.status != 401 else { throw loginRequired(hasCredentials: true) }
            try response.requireSuccess()
        case .bearer(let realm, let service, let credentials):
            _ = try await fetchToken(realm, service, nil, credentials)
        }
        return true
    }

    /// Asks the registry which scheme it wants, if that is not known yet.
    ///
    /// - Throws: as ``headers(for:_:)``.
    func connect() async throws { _ = try await knownScheme() }

    /// Whether the registry is served by `ami-zoo serve`, which serves index documents beside the OCI API.
    ///
    /// - Throws: as ``headers(for:_:)``.
    func servesIndexDocuments() async throws -> Bool {
        _ = try await knownScheme()
        return isZooServer
    }

    /// Whether the registry announces block-wise uploads.
    ///
    /// - Throws: as ``headers(for:_:)``.
    func announcesBlockUploads() async throws -> Bool {
        _ = try await knownScheme()
        return takesBlocks
    }

    /// Forgets tokens, after the registry refused one.
    func renew() { tokens.removeAll() }

    private func knownScheme() async throws -> Scheme {
        while true {
            let question = scheme ?? SharedAnswer { try await self.askForScheme() }
            scheme = question
            do {
                return try await question.value
            } catch {
                // A later request asks again.
                if scheme === question, question.hasFailed { scheme = nil }
                // Every other request that waited was cancelled, and this one was not.
                guard error is CancellationError, !Task.isCancelled else { throw error }
            }
        }
    }

    private func askForScheme() async throws -> Scheme {
        let response = try await transport.send(HTTPRequest(.get, "\(endpoint.origin)/v2/"))
        let extensions = response["AMI-Zoo-Api"]?.split(separator: ",").map {
            String($0).trimmingPrefix(while: { $0 == " " })
        }
        isZooServer = extensions != nil
        takesBlocks = extensions?.contains("block-upload") ?? false
        switch response.status {
        case 200...299 where response["Content-Type"]?.hasPrefix("text/html") != true:
            return .none
        case 401:
            return try await chooseScheme(
                AuthorizationChallenge.all(in: response["WWW-Authenticate"] ?? "")
            )
        case 200...299, 404, 405, 410:
            throw ZooError(
                .notARegistry,
                "there is no registry at \(endpoint.origin): it has neither 'zoo.json' nor '/v2/'",
                remedy: "check the address"
            )
        default:
            try response.requireSuccess()
            return .none
        }
    }

    private func chooseScheme(
        _ challenges: [AuthorizationChallenge]
    ) async throws -> Scheme {
        var (known, login) = (RegistryCredentials?.none, endpoint.host)
        for address in endpoint.logins where known == nil {
            (known, login) = (try await credentials(address), address)
        }
        if known != nil, !endpoint.isPrivate { throw insecure(endpoint.origin, login) }
        // It takes a token as it is: one that was exchanged is for one repository, and cannot read the
        // catalogue.
        if isZooServer, let known { return .basic(known.basic) }
        for challenge in challenges where challenge.scheme == "bearer" {
            guard let realm = challenge.parameters["realm"] else { continue }
            // A token endpoint may be on another host, but never on an open line.
            if known != nil, !OCIEndpoint.isPrivate(realm) { throw insecure(realm, login) }
            return .bearer(realm: realm, service: challenge.parameters["service"], known)
        }
        if challenges.contains(where: { $0.scheme == "basic" }), let known {
            return .basic(known.basic)
        }
        throw loginRequired(hasCredentials: known != nil)
    }

    /// The error for a request that the registry refuses with 401 although it was sent as it asks.
    func refusal() async -> ZooError {
        switch try? await scheme?.value {
        case .bearer(_, _, .some):
            return ZooError(
                .forbidden,
                "the stored credentials for \(endpoint.host) do not allow this",
                remedy: "ask the registry's owner for the permission, or run 'ami-zoo login "
                    + "\(endpoint.logins[0])' with other credentials"
            )
        case .basic: return loginRequired(hasCredentials: true)
        case .bearer, .none?, nil: return loginRequired(hasCredentials: false)
        }
    }

    private func insecure(_ address: String, _ login: String) -> ZooError {
        ZooError(
            .forbidden,
            "the credentials for \(login) are not sent to \(address), because the "
                + "connection is not encrypted",
            remedy: "use an 'https://' address, or 'ami-zoo logout \(login)' to connect "
                + "without credentials"
        )
    }

    private func loginRequired(hasCredentials: Bool) -> ZooError {
        ZooError(
            .loginRequired,
            hasCredentials
                ? "\(endpoint.host) does not accept the stored credentials"
                : "\(endpoint.host) requires a login",
            remedy: "run 'ami-zoo login \(endpoint.logins[0])', or set AMI_ZOO_TOKEN"
        )
    }

    private func fetchToken(
        _ realm: String,
        _ service: String?,
        _ scope: String?,
        _ credentials: RegistryCredentials?
    ) async throws -> (token: String, lifetime: Int) {
        let query = [("service", service), ("scope", scope)].compactMap { name, value in
            value.map { "\(name)=\(OCIEndpoint.escaped($0))" }
        }.joined(separator: "&")
        let url = realm + (realm.contains("?") ? "&" : "?") + query
        let headers = credentials.map { [HeaderField("Authorization", $0.basic)] } ?? []
        let response = try await transport.send(
            HTTPRequest(.get, url, headers: headers, limit: 1 << 16)
        )
        guard response.status != 401 else {
            throw loginRequired(hasCredentials: credentials != nil)
        }
        try response.requireSuccess()
        let object = try JSONObject(try JSONValue(parsing: response.body))
        let token =
            try object.optionalString("token", maximum: 1 << 15)
            ?? object.string("access_token", maximum: 1 << 15)
        // 60 seconds when absent, as the token specification says.
        return (token, try object.optionalInteger("expires_in", in: 0...1 << 40) ?? 60)
    }
}
