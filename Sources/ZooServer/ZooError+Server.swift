// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// A listen address is not `HOST:PORT`.
    package static let addressMalformed = Self("server.address-malformed", .usage)
    /// The listen address is in use, not local, or not permitted.
    package static let cannotListen = Self("server.cannot-listen", .inputOutput)
    /// The folder to serve is missing, unreadable or not a registry.
    package static let rootInvalid = Self("server.root-invalid", .badData)
    /// The prefix of a mounted registry is not one, or is a path of the server itself.
    package static let mountMalformed = Self("server.mount-malformed", .usage)
    /// Two registries of a server share a prefix, a namespace or a folder.
    package static let mountConflict = Self("server.mount-conflict", .badData)
    /// The requested path does not exist or is not part of a registry.
    package static let pathNotFound = Self("server.path-not-found", .notFound)
    /// A request uses a method other than GET and HEAD.
    package static let methodNotAllowed = Self("server.method-not-allowed", .notPermitted)
    /// A requested range starts after the end of the file.
    package static let rangeUnsatisfiable = Self("server.range-unsatisfiable", .usage)
    /// The entity tag of the file does not match `If-Match`.
    package static let preconditionFailed = Self("server.precondition-failed", .integrity)
    /// A file of the registry exists but cannot be read.
    package static let fileUnreadable = Self("server.file-unreadable", .inputOutput)
    /// The server is read-only, or the sender may not do this.
    package static let accessDenied = Self("server.access-denied", .notPermitted)
    /// A parameter or a header field of a request is invalid.
    package static let requestInvalid = Self("server.request-invalid", .usage)
    /// The server accepts releases only.
    package static let artifactNotAccepted = Self("server.artifact-not-accepted", .notPermitted)
    /// A manifest refers to what should be deleted.
    package static let notDeletable = Self("server.not-deletable", .notPermitted)
    /// The TLS certificate or key cannot be read.
    package static let tlsFileUnreadable = Self("server.tls-file-unreadable", .inputOutput)
    /// A file has no TLS certificate or key.
    package static let tlsFileInvalid = Self("server.tls-file-invalid", .badData)
    /// The TLS key does not belong to the certificate.
    package static let tlsKeyMismatch = Self("server.tls-key-mismatch", .badData)
    /// The server has no file descriptors or memory left for this request.
    package static let overloaded = Self("server.overloaded", .unreachable)
}

extension ZooError {
    /// The error for a change that nobody may make.
    static let readOnly = ZooError(
        .accessDenied,
        "this server is read-only",
        remedy: "publish into its folder, or ask its operator to accept uploads"
    )

    /// The error for something that the sender may not do.
    static func notAllowed(_ action: RegistryAction, _ namespace: String) -> ZooError {
        ZooError(
            .accessDenied,
            "these credentials do not allow to \(action) in '\(namespace)'",
            remedy: "use a token with that scope: 'ami-zoo login'"
        )
    }
}
