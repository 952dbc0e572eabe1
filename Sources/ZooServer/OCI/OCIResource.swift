// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import ZooCore
internal import ZooRegistry

/// A resource of the OCI distribution API, below `/v2/`.
///
/// Source: opencontainers/distribution-spec, "Endpoints", version 1.1.
enum OCIResource: Sendable, Equatable {
    /// `/v2/`
    case base
    /// `/v2/<name>/blobs/<digest>`
    case blob(RepositoryName, BlobDigest)
    /// `/v2/<name>/blobs/uploads/`
    case uploads(RepositoryName)
    /// `/v2/<name>/blobs/uploads/<id>`
    case upload(RepositoryName, UploadID)
    /// `/v2/<name>/manifests/<reference>`
    case manifest(RepositoryName, ManifestReference)
    /// `/v2/<name>/tags/list`
    case tags(RepositoryName)
    /// `/v2/<name>/referrers/<digest>`
    case referrers(RepositoryName, BlobDigest)

    /// Finds the resource at a path below `/v2`.
    ///
    /// - Parameter path: the path, such as `/v2/ami/ball-drop/tags/list`.
    /// - Throws: ``RequestFailure`` with status 400 or 404.
    init(path: Substring) throws(RequestFailure) {
        let parts = path.dropFirst("/v2".count).split(
            separator: "/",
            omittingEmptySubsequences: false
        ).map(String.init)
        // "/v2" and "/v2/"
        guard parts.count > 2 else {
            guard parts.allSatisfy(\.isEmpty) else { throw .unknownPath(path) }
            self = .base
            return
        }
        let last = parts[parts.count - 1]
        let collection = parts[parts.count - 2]
        switch collection {
        case "uploads" where parts.count > 4 && parts[parts.count - 3] == "blobs":
            let repository = try Self.repository(parts.dropFirst().dropLast(3))
            if last.isEmpty {
                self = .uploads(repository)
            } else if let id = UploadID(parsing: last) {
                self = .upload(repository, id)
            } else {
                throw RequestFailure(
                    .notFound,
                    .blobUploadUnknown,
                    ZooError(.uploadUnknown, "there is no upload '\(last.prefix(64))'")
                )
            }
        case "blobs" where last == "uploads":
            // Clients differ in whether they write the slash at the end.
            self = .uploads(try Self.repository(parts.dropFirst().dropLast(2)))
        case "blobs":
            self = .blob(
                try Self.repository(parts.dropFirst().dropLast(2)),
                try Self.digest(last)
            )
        case "manifests":
            let repository = try Self.repository(parts.dropFirst().dropLast(2))
            // A text with a colon can only be meant as a digest.
            if last.contains(":") {
                self = .manifest(repository, .digest(try Self.digest(last)))
            } else if let tag = OCITag(parsing: last) {
                self = .manifest(repository, .tag(tag))
            } else {
                throw RequestFailure(
                    .badRequest,
                    .manifestInvalid,
                    ZooError(.referenceMalformed, "'\(last.prefix(160))' is not a tag")
                )
            }
        case "tags" where last == "list":
            self = .tags(try Self.repository(parts.dropFirst().dropLast(2)))
        case "referrers":
            self = .referrers(
                try Self.repository(parts.dropFirst().dropLast(2)),
                try Self.digest(last)
            )
        default: throw .unknownPath(path)
        }
    }

    private static func repository(
        _ components: ArraySlice<String>
    ) throws(RequestFailure) -> RepositoryName {
        do throws(ZooError) {
            return try RepositoryName(parsing: components.joined(separator: "/"))
        } catch {
            throw RequestFailure(.badRequest, .nameInvalid, error)
        }
    }

    private static func digest(_ text: String) throws(RequestFailure) -> BlobDigest {
        do throws(ZooError) {
            return try BlobDigest(parsing: text)
        } catch {
            throw RequestFailure(.badRequest, .digestInvalid, error)
        }
    }

    /// Whether others may rely on it; an upload in progress is its sender's own.
    var isPublished: Bool {
        if case .upload = self { false } else { true }
    }

    /// The repository; nil for ``base``.
    var repository: RepositoryName? {
        switch self {
        case .base: nil
        case .blob(let name, _), .uploads(let name), .upload(let name, _),
            .manifest(let name, _), .tags(let name), .referrers(let name, _):
            name
        }
    }
}
