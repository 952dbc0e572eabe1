// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What an upload is for, stored beside its bytes.
package struct UploadSession: Sendable, Equatable {
    private static let format = "ami-zoo.upload/1"

    /// The repository that gets the blob.
    package let repository: RepositoryName

    init(repository: RepositoryName) { self.repository = repository }

    init(canonical bytes: [UInt8]) throws(ZooError) {
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: .init(bytes: 4096)))
        try object.requireFormat(Self.format)
        repository = try RepositoryName(parsing: try object.string("repository"))
    }

    var canonicalBytes: [UInt8] {
        let document: JSONValue = [
            "format": .string(Self.format), "repository": .string(repository.description),
        ]
        return document.canonicalBytes
    }
}
