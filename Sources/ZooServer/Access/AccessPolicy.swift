// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import HTTPTypes
package import ZooCore

/// Decides what the sender of a request may do.
package protocol AccessPolicy: Sendable {
    /// Whether anyone can have more than read access; the server announces its write API only then.
    var isWritable: Bool { get }

    /// Identifies the sender of a request.
    ///
    /// - Parameters:
    ///   - credentials: the credentials of the request; nil without any.
    ///   - peer: the address of the client, without the port.
    /// - Returns: what the sender may do.
    /// - Throws: ``AccessRefusal`` when the credentials are wrong or expired, or the sender must wait.
    func access(_ credentials: RequestCredentials?, peer: String) async throws -> Access

    /// Whether credentials are valid in this registry now.
    ///
    /// It counts nothing: a server asks each of its registries whose credentials these are.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    func knows(_ credentials: RequestCredentials) async throws -> Bool

    /// The value of `WWW-Authenticate` for a request that needs credentials; nil when credentials would
    /// not help.
    ///
    /// - Parameters:
    ///   - scope: such as `repository:ami/ball-drop:pull,push`; nil when no repository is concerned.
    ///   - origin: the scheme, host and port that the client used, such as `https://zoo.example`.
    /// - Returns: the challenge.
    func challenge(scope: String?, origin: String) -> String?

    /// Answers the token endpoint; nil when there is none.
    ///
    /// - Throws: ``AccessRefusal``.
    func token(_ request: TokenRequest) async throws -> JSONValue?

    /// Counts an upload before it starts.
    ///
    /// - Throws: ``AccessRefusal`` with status 429 when it would exceed the quota of its sender.
    func admit(upload bytes: Int, by access: Access) async throws

    /// Records who made a change.
    ///
    /// - Parameters:
    ///   - action: `publish`, `attach`, `yank`, `unyank`, `channel` or `delete`.
    ///   - target: what was changed, such as `ami/ball-drop:1.0.0`.
    ///   - access: what the sender may do.
    /// - Throws: ``ZooError`` with a `database.*` code.
    func record(_ action: String, of target: String, by access: Access) async throws
}

extension AccessPolicy {
    /// There are no accounts.
    package func knows(_ credentials: RequestCredentials) async throws -> Bool { false }

    /// There is no token endpoint.
    package func token(_ request: TokenRequest) async throws -> JSONValue? { nil }

    /// There are no quotas.
    package func admit(upload bytes: Int, by access: Access) async throws {}

    /// There is no log.
    package func record(_ action: String, of target: String, by access: Access) async throws {}
}

/// A request to the token endpoint (`/token`).
package struct TokenRequest: Sendable {
    /// The credentials of the request; nil without any.
    package let credentials: RequestCredentials?
    /// The address of the client, without the port.
    package let peer: String
    /// The `service` that the client asks for.
    package let service: String?
    /// Every `scope` that the client asks for.
    package let scopes: [String]
    /// The scheme, host and port that the client used.
    package let origin: String

    /// Creates a request.
    package init(
        credentials: RequestCredentials?,
        peer: String,
        service: String?,
        scopes: [String],
        origin: String
    ) {
        self.credentials = credentials
        self.peer = peer
        self.service = service
        self.scopes = scopes
        self.origin = origin
    }
}

/// A request that is refused before it is looked at.
package struct AccessRefusal: Error {
    /// 401 or 429.
    package let status: HTTPResponse.Status
    /// The reason.
    package let error: ZooError
    /// The number of seconds to wait; nil when waiting does not help.
    package let retryAfter: Int?

    /// Creates a refusal.
    package init(_ status: HTTPResponse.Status, _ error: ZooError, retryAfter: Int? = nil) {
        self.status = status
        self.error = error
        self.retryAfter = retryAfter
    }
}

/// The policy of a server without accounts: everyone may read, and publish and delete where writing is on.
package struct OpenPolicy: AccessPolicy {
    package let isWritable: Bool

    /// Creates a policy.
    ///
    /// - Parameter writable: whether everyone may write, as on a loopback address.
    package init(writable: Bool) { isWritable = writable }

    package func access(_ credentials: RequestCredentials?, peer: String) async -> Access {
        Access(subject: nil) { [isWritable] action, _ in isWritable || action == .read }
    }

    package func challenge(scope: String?, origin: String) -> String? { nil }
}
