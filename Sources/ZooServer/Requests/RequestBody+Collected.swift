// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooRegistry

extension RequestBody {
    /// The whole body of a request that is a document.
    ///
    /// - Throws: ``RequestFailure`` with status 413 when it has more than `limit` bytes.
    func collected(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in self {
            guard bytes.count + part.readableBytes <= limit else {
                throw RequestFailure(
                    .contentTooLarge,
                    .sizeInvalid,
                    ZooError(.uploadTooLarge, "the document has more than \(limit) bytes")
                )
            }
            bytes.append(contentsOf: part.readableBytesView)
        }
        return bytes
    }
}
