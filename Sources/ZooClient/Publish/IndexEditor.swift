// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooRegistry
internal import ZooTransport

/// Changes index documents: of a registry folder, of a registry that `ami-zoo serve` serves, or of any
/// other OCI registry.
package struct IndexEditor: Sendable {
    private enum Place {
        case folder(String, PublisherKeys)
        case server(OCIRepositories, SignedEditor?)
    }

    private let place: Place

    /// Creates an editor of a registry folder.
    init(folder root: String, keys: PublisherKeys) { place = .folder(root, keys) }

    /// Creates an editor of a registry on a server.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed`.
    init(
        base: String,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup,
        keys: PublisherKeys = .none,
        trusted: TrustedRegistries? = nil
    ) throws(ZooError) {
        let repositories = OCIRepositories(
            try OCIEndpoint(base: base),
            transport: transport,
            credentials: credentials
        )
        let signed = SignedEditor(
            repositories,
            at: base,
            transport: transport,
            credentials: credentials,
            keys: keys,
            trusted: trusted
        )
        place = .server(repositories, signed)
    }

    /// Creates an editor of an OCI registry, which changes a signed one only with the editor for that.
    init(_ repositories: OCIRepositories, signed: SignedEditor?) {
        place = .server(repositories, signed)
    }

    /// Reads the index document of a model; nil when a folder, or a registry of another kind, does not
    /// have the model.
    ///
    /// - Throws: ``ZooError`` with the code of the document or of `transport.*`.
    func index(of name: ModelName) async throws -> IndexDocument? {
        switch place {
        case .folder(let root, _):
            return try await BlockingWork.run { _ in
                try RegistryDocuments(root: root).index(of: name)
            }
        case .server(let repositories, _):
            if case .fetched(let bytes, _)? = try await repositories.indexDocument(
                of: name,
                entityTag: nil
            ) {
                return try IndexDocument(canonical: bytes)
            }
            return try await TaggedIndex(of: name, in: repositories)
                .state(unlisted: FormatLimits.versions).document
        }
    }

    /// Makes a change.
    ///
    /// - Parameters:
    ///   - change: the change.
    ///   - date: when it was made; `ami-zoo serve` takes its own time.
    /// - Returns: the new index document.
    /// - Throws: ``ZooError`` as ``RegistryFolder/apply(_:at:_:)``, also when a server refused it, or as
    ///   ``TaggedIndex/apply(_:at:)``; with code `registry.folder-required` for a web server without
    ///   the OCI API, or `transport.*`.
    @discardableResult
    package func apply(
        _ change: IndexChange,
        at date: Timestamp = Timestamp(secondsSince1970: Clock.seconds())
    ) async throws -> IndexDocument {
        switch place {
        case .folder(let root, let keys):
            return try await BlockingWork.run { cancellation in
                try keys.open(root).apply(change, at: date, cancellation)
            }
        case .server(let repositories, let signed?):
            return try await signed.change(change.name) { index in
                guard let index else { throw Self.unknown(change.name, repositories) }
                return try index.applying(change, at: date, in: repositories.address)
            }
        case .server(let repositories, nil):
            return try await Self.isOurs(repositories)
                ? Self.send(change, to: repositories)
                : TaggedIndex(of: change.name, in: repositories).apply(change, at: date)
        }
    }

    private static func unknown(_ name: ModelName, _ repositories: OCIRepositories) -> ZooError {
        ZooError(
            .modelUnknown,
            "\(repositories.address) has no model or data set '\(name)'",
            remedy: "check the name with 'ami-zoo list --registry \(repositories.address)'"
        )
    }

    private static func isOurs(_ repositories: OCIRepositories) async throws -> Bool {
        do {
            return try await repositories.servesIndexDocuments()
        } catch let error as ZooError where error.code == .notARegistry {
            throw folderRequired(repositories, cause: error)
        }
    }

    private static func send(
        _ change: IndexChange,
        to repositories: OCIRepositories
    ) async throws -> IndexDocument {
        let request = change.request
        let response = try await repositories.send(
            request.method == .put ? .put : .delete,
            repositories.endpoint.url(ofFile: String(request.target.dropFirst())),
            of: change.name,
            .push,
            headers: [HeaderField("Content-Type", "application/json")],
            body: request.body.map { RequestBody($0.canonicalBytes) },
            limit: FormatLimits.indexDocument
        )
        if response.status == 200 { return try IndexDocument(canonical: response.body) }
        if let refusal = ZooError(refusal: response) { throw refusal }
        // A server that does not know the path says so with one of these.
        if response.status != 404, response.status != 405 { try response.requireSuccess() }
        throw folderRequired(repositories, cause: nil)
    }

    private static func folderRequired(
        _ repositories: OCIRepositories,
        cause: ZooError?
    ) -> ZooError {
        ZooError(
            .folderRequired,
            "\(repositories.endpoint.origin) does not change versions: it is neither "
                + "'ami-zoo serve' nor another OCI registry",
            remedy: "run the command on the machine of the registry, with its folder after "
                + "--registry",
            cause: cause
        )
    }
}

extension ZooError {
    /// The error in the body of a response of our own server; nil when it has none.
    init?(refusal response: HTTPResponse) {
        guard let document = try? JSONObject(try JSONValue(parsing: response.body)),
            let error = try? document.object("error"), let code = try? error.string("code"),
            let message = try? error.string("message", maximum: 4000)
        else { return nil }
        let category: Category =
            switch response.status {
            case 404: .notFound
            case 401, 403, 409: .notPermitted
            case 400..<500: .badData
            default: .unreachable
            }
        self.init(
            Code(code, category),
            message,
            remedy: try? error.optionalString("remedy", maximum: 4000)
        )
    }
}
