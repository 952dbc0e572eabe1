// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// A request that is refused: an HTTP status, our error, and the OCI code that responses below `/v2/` have.
struct RequestFailure: Error {
    /// An error code.
    ///
    /// Source: opencontainers/distribution-spec, "Error Codes", version 1.1.
    enum Code: String, Sendable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
        case manifestInvalid = "MANIFEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case sizeInvalid = "SIZE_INVALID"
        case unauthorized = "UNAUTHORIZED"
        case denied = "DENIED"
        case unsupported = "UNSUPPORTED"
        case tooManyRequests = "TOOMANYREQUESTS"
        /// Not in the specification: failures of the server, as docker-registry names them.
        case unknown = "UNKNOWN"
    }

    /// The status.
    let status: HTTPResponse.Status
    /// The OCI code.
    let code: Code
    /// The cause, with our code.
    let error: ZooError
    /// More header fields.
    var fields: HTTPFields = [:]

    /// Creates a failure.
    init(_ status: HTTPResponse.Status, _ code: Code, _ error: ZooError) {
        self.status = status
        self.code = code
        self.error = error
    }

    static func unknownPath(_ path: Substring) -> RequestFailure {
        RequestFailure(
            .notFound,
            .unsupported,
            ZooError(.pathNotFound, "there is no '\(path.prefix(200))' in the OCI API")
        )
    }

    /// Chooses the status and the OCI code of one of our errors.
    ///
    /// - Parameters:
    ///   - error: the error.
    ///   - isManifest: whether a manifest was sent, which is at fault for invalid data.
    init(_ error: ZooError, ofManifest isManifest: Bool = false) {
        switch error.code {
        case .digestMalformed: self.init(.badRequest, .digestInvalid, error)
        case .referenceMalformed: self.init(.badRequest, .nameInvalid, error)
        case .uploadUnknown: self.init(.notFound, .blobUploadUnknown, error)
        case .uploadBusy:
            self.init(.conflict, .blobUploadInvalid, error)
            fields[.retryAfter] = "1"
        case .uploadOutOfOrder: self.init(.rangeNotSatisfiable, .blobUploadInvalid, error)
        case .uploadRange: self.init(.rangeNotSatisfiable, .blobUploadInvalid, error)
        case .uploadTable, .uploadBlocks, .uploadIncomplete:
            self.init(.badRequest, .blobUploadInvalid, error)
        case .uploadMismatch: self.init(.badRequest, .digestInvalid, error)
        case .uploadTooLarge: self.init(.contentTooLarge, .sizeInvalid, error)
        case .uploadsFull:
            self.init(.tooManyRequests, .tooManyRequests, error)
            fields[.retryAfter] = "60"
        case .versionTaken: self.init(.conflict, .denied, error)
        case .attachmentsFull: self.init(.conflict, .denied, error)
        case .blobMissing: self.init(.badRequest, .manifestBlobUnknown, error)
        case .modelUnknown, .versionUnknown: self.init(.notFound, .manifestUnknown, error)
        case .diskFull: self.init(.insufficientStorage, .unknown, error)
        case .overloaded:
            self.init(.serviceUnavailable, .unknown, error)
            fields[.retryAfter] = "1"
        default:
            switch error.code.category {
            case .badData, .integrity, .usage:
                self.init(.badRequest, isManifest ? .manifestInvalid : .unsupported, error)
            case .notPermitted: self.init(.forbidden, .denied, error)
            default: self.init(.internalServerError, .unknown, error)
            }
        }
    }
}

extension HTTPResponse.Status {
    /// 507, RFC 4918 section 11.5.
    static let insufficientStorage = HTTPResponse.Status(
        code: 507,
        reasonPhrase: "Insufficient Storage"
    )
}
