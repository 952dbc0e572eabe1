// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooRegistry

extension Request {
    /// The length of the body that the header states; nil for a body without a stated length.
    var statedLength: Int? { headers[.contentLength].flatMap { Int($0) } }

    /// The whole body of a request that is a document.
    ///
    /// - Parameter limit: the largest size in bytes.
    /// - Returns: the bytes.
    /// - Throws: ``RequestFailure`` with status 413 when it has, or its header states, more than `limit`
    ///   bytes.
    func document(limit: Int) async throws -> [UInt8] {
        let tooLarge = RequestFailure(
            .contentTooLarge,
            .sizeInvalid,
            ZooError(.uploadTooLarge, "the document has more than \(limit) bytes")
        )
        // A client that states an absurd length may never send it.
        if let statedLength, statedLength > limit { throw tooLarge }
        var bytes: [UInt8] = []
        for try await part in body {
            guard bytes.count + part.readableBytes <= limit else { throw tooLarge }
            bytes.append(contentsOf: part.readableBytesView)
        }
        return bytes
    }
}
