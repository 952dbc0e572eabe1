// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// Answers requests that publish signed index documents: `docs/http-api.md`, "Signed registries".
struct SubmissionResponder: Sendable {
    /// The registry.
    let registry: ServedRegistry
    /// Records changes.
    let policy: any AccessPolicy
    /// The number of versions that one request may add: each is read as a whole.
    private static let versions = 16

    /// Makes a change whose sender may publish in the namespace.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - name: the model in its path.
    ///   - access: what the sender may do.
    /// - Returns: the new index document.
    /// - Throws: ``RequestFailure``, or ``ZooError``.
    func respond(
        to request: Request,
        of name: ModelName,
        _ access: Access
    ) async throws -> Response {
        guard request.method == .put else {
            var failure = RequestFailure(
                .methodNotAllowed,
                .unsupported,
                ZooError(.methodNotAllowed, "this path does not support \(request.method.rawValue)")
            )
            failure.fields[.allow] = "PUT"
            throw failure
        }
        guard let writer = registry.writer else {
            throw RequestFailure(.forbidden, .denied, .readOnly)
        }
        let submission = try SignedSubmission(
            body: try await request.document(limit: SignedSubmission.limit)
        )
        guard submission.index.name == name else {
            throw ZooError(
                .trustSubmission,
                "the path names '\(name)', and the index document '\(submission.index.name)'",
                remedy: "send the document to the path of its model"
            )
        }
        do {
            let versions = try await BlockingWork.run { cancellation in
                try requireReadable(submission)
                return try writer.registry.accept(submission, cancellation)
            }
            for version in versions {
                try await policy.record("publish", of: "\(name):\(version)", by: access)
            }
            if versions.isEmpty { try await policy.record("change", of: "\(name)", by: access) }
            return .json(try JSONValue(parsing: submission.index.canonicalBytes))
        } catch let error as ZooError where error.code.rawValue == "trust.changed-meanwhile" {
            throw RequestFailure(.conflict, .denied, registry.redacted(error))
        } catch let error as ZooError {
            throw RequestFailure(registry.redacted(error), ofManifest: true)
        }
    }

    /// Checks that the blobs of what is new are readable in the repository, so that nobody makes those of another
    /// repository readable.
    private func requireReadable(_ submission: SignedSubmission) throws {
        let repository = RepositoryName(submission.index.name)
        let known = try registry.contents.index(of: repository)
        let entries = submission.index.entries.filter {
            known?.entry(for: .version($0.version)) != $0
        }
        let added = entries.filter { known?.entry(for: .version($0.version)) == nil }
        guard added.count <= Self.versions else {
            throw ZooError(
                .trustSubmission,
                "\(added.count) versions are new, and one request may add \(Self.versions)",
                remedy: "publish them one after the other"
            )
        }
        let manifests = Set(added.map(\.digest) + entries.flatMap { $0.attachments.map(\.digest) })
        for digest in manifests {
            // A manifest that is missing is refused with its reason later.
            let bytes = try? registry.writer?.registry.blobs.read(
                digest,
                limit: FormatLimits.artifactManifest
            )
            guard let bytes else { continue }
            for blob in try ArtifactManifest(parsing: bytes).blobs where !blob.isElsewhere {
                guard try registry.mayRead(blob.digest, in: repository) else {
                    throw ZooError(
                        .blobMissing,
                        "\(digest) refers to the blob \(blob.digest), which the repository does not have",
                        remedy: "upload the blob, then send the document"
                    )
                }
            }
        }
    }
}
