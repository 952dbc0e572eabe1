// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes

/// Header fields of the OCI API. Source: opencontainers/distribution-spec, version 1.1.
extension HTTPField.Name {
    static let contentDigest = known("Docker-Content-Digest")
    static let apiVersion = known("Docker-Distribution-Api-Version")
    static let uploadIdentifier = known("Docker-Upload-UUID")
    static let subject = known("OCI-Subject")
    static let filtersApplied = known("OCI-Filters-Applied")
    /// RFC 8288.
    static let link = known("Link")
    /// Announces index documents beside the OCI API, the interface below `/api/v1/` and block-wise
    /// uploads.
    static let zooAPI = known("AMI-Zoo-Api")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else {
            preconditionFailure("'\(name)' is not the name of a header field")
        }
        return name
    }
}

/// What ``HTTPField/Name/zooAPI`` announces: the version of the interface, and its extensions.
enum ZooAPI {
    /// The value of the header field.
    static let announcement = "1, block-upload"
}
