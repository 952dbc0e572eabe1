// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// Answers requests that change index documents: `docs/http-api.md`, "Changes".
struct ChangeResponder: Sendable {
    /// The registry.
    let registry: ServedRegistry
    /// Records changes.
    let policy: any AccessPolicy

    /// Parses a request; nil when its path is not that of a change.
    ///
    /// - Throws: ``RequestFailure`` with status 405 or 413, or ``ZooError`` when it is malformed.
    func change(_ request: Request, _ target: RequestTarget) async throws -> IndexChange? {
        guard target.path.hasPrefix(IndexChange.path) else { return nil }
        guard let method = IndexChange.Method(rawValue: request.method.rawValue) else {
            var failure = RequestFailure(
                .methodNotAllowed,
                .unsupported,
                ZooError(
                    .methodNotAllowed,
                    "this path does not support \(request.method.rawValue)"
                )
            )
            failure.fields[.allow] = "PUT, DELETE"
            throw failure
        }
        return try IndexChange(
            method: method,
            path: String(target.path),
            digest: target.value("digest"),
            body: method == .put ? try await request.document(limit: 1 << 20) : []
        )
    }

    /// Makes a change whose sender may make it.
    ///
    /// - Throws: ``RequestFailure`` with status 403 or 409, or ``ZooError``.
    func respond(to change: IndexChange, _ access: Access) async throws -> Response {
        guard let writer = registry.writer else {
            throw RequestFailure(.forbidden, .denied, .readOnly)
        }
        do {
            let index = try await BlockingWork.run { cancellation in
                try writer.registry.apply(
                    change,
                    at: Timestamp(secondsSince1970: Clock.seconds()),
                    cancellation
                )
            }
            let target = change.version.map { "\(change.name):\($0)" } ?? "\(change.name)"
            try await policy.record(change.action, of: target, by: access)
            return .json(try JSONValue(parsing: index.canonicalBytes))
        } catch let error as ZooError where error.code == .registryMismatch {
            throw RequestFailure(.conflict, .denied, registry.redacted(error))
        }
    }
}
