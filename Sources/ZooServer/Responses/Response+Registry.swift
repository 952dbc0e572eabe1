// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore

extension Response {
    /// The headers of every response.
    private static var commonFields: HTTPFields {
        [.xContentTypeOptions: "nosniff"]
    }

    /// Creates the response for a file, without the body.
    static func file(
        _ resource: RegistryResource,
        tag: EntityTag,
        size: Int,
        delivery: Delivery
    ) -> Response {
        var fields = commonFields
        fields[.eTag] = tag.text
        fields[.cacheControl] = resource.cacheControl
        fields[.acceptRanges] = "bytes"
        if delivery != .notModified { fields[.contentType] = resource.contentType }
        switch delivery {
        case .whole:
            fields[.contentLength] = String(size)
            return Response(status: .ok, headers: fields)
        case .part(let range):
            fields[.contentLength] = String(range.count)
            fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
            return Response(status: .partialContent, headers: fields)
        case .notModified:
            return Response(status: .notModified, headers: fields)
        case .preconditionFailed:
            return failure(
                ZooError(.preconditionFailed, "the entity tag of the file is \(tag.text)"),
                status: .preconditionFailed
            )
        case .unsatisfiable:
            var response = failure(
                ZooError(.rangeUnsatisfiable, "the file has \(size) bytes"),
                status: .rangeNotSatisfiable
            )
            response.headers[.contentRange] = "bytes */\(size)"
            response.headers[.acceptRanges] = "bytes"
            return response
        }
    }

    /// Creates an error response `{"error":{"code":…,"message":…}}` that must be revalidated.
    static func failure(_ error: ZooError, status: HTTPResponse.Status) -> Response {
        let document: JSONValue = [
            "error": ["code": .string(error.code.rawValue), "message": .string(error.message)]
        ]
        var fields = commonFields
        fields[.contentType] = "application/json"
        fields[.cacheControl] = "no-cache"
        return Response(
            status: status,
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.canonicalBytes))
        )
    }
}
