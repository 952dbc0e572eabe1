// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooRegistry
internal import ZooTrust

/// The first error of an OCI error document.
///
/// Source: opencontainers/distribution-spec, "Error codes", version 1.1. Our server adds its own code and
/// remedy in `detail`.
struct OCIRefusal {
    private let code: String
    private let message: String
    private let own: (code: String, remedy: String?)?

    /// Parses an error document; nil when the body is something else.
    init?(_ body: [UInt8]) {
        guard let object = try? JSONObject(try JSONValue(parsing: body)),
            let first = try? object.objects("errors", maximum: 100).first,
            let code = try? first.string("code")
        else { return nil }
        self.code = code
        message = (try? first.string("message", maximum: 4096)) ?? code
        if let detail = try? first.optionalObject("detail"), let own = try? detail.string("code") {
            self.own = (own, try? detail.optionalString("remedy", maximum: 4096))
        } else {
            own = nil
        }
    }

    /// The codes of our server that a client shows as its own.
    private static let known: [ZooError.Code] = [
        .versionTaken, .blobMissing, .releaseInconsistent, .blobMismatch, .manifestInvalid,
        .fieldInvalid, .modelUnknown, .locksUnavailable, .uploadBusy, .uploadUnknown, .uploadRange,
        .uploadTable, .uploadBlocks, .uploadIncomplete, .uploadMismatch, .trustPush, .trustUnsigned,
    ]

    /// The error to report.
    func error(from address: String, after error: ZooError) -> ZooError {
        let known = Self.known.first { $0.rawValue == own?.code }
        return ZooError(
            known ?? error.code,
            "\(address) refused the request: \(message) (\(code))",
            remedy: own?.remedy ?? error.remedy,
            cause: error.cause
        )
    }
}
