// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore
import ZooTransport
import ZooTrust

/// The files of a repository on a web server.
struct WebFiles: RepositoryFiles {
    /// The address of the folder.
    let url: String
    /// The transport.
    let transport: HTTPTransport

    func file(_ name: String, limit: Int) async throws -> [UInt8]? {
        let address = url.hasSuffix("/") ? url + name : "\(url)/\(name)"
        do {
            let reply = try await transport.document(DocumentRequest(url: address, limit: limit))
            guard case .fetched(let bytes, _) = reply else { return nil }
            return bytes
        } catch let error as ZooError
            where error.code == .resourceNotFound || error.code == .forbidden
        {
            return nil
        } catch let error as ZooError where error.code == .documentTooLarge {
            throw ZooError.tooLarge(name, limit: limit)
        }
    }
}
