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
        file(type: resource.contentType, cache: resource.cacheControl, tag, size, delivery)
    }

    private static func file(
        type: String,
        cache: String,
        _ tag: EntityTag,
        _ size: Int,
        _ delivery: Delivery
    ) -> Response {
        var fields = commonFields
        fields[.eTag] = tag.text
        fields[.cacheControl] = cache
        fields[.acceptRanges] = "bytes"
        if delivery != .notModified { fields[.contentType] = type }
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

    /// Creates the response for a blob in the OCI API, without the body.
    static func blob(tag: EntityTag, size: Int, delivery: Delivery) -> Response {
        file(type: "application/octet-stream", cache: immutable, tag, size, delivery)
    }

    /// The `Cache-Control` of what never changes.
    static let immutable = "public, max-age=31536000, immutable"

    /// Creates the response for a document in memory.
    static func document(
        _ bytes: [UInt8],
        type: String,
        tag: EntityTag,
        delivery: Delivery
    ) -> Response {
        var response = file(type: type, cache: "no-cache", tag, bytes.count, delivery)
        switch delivery {
        case .whole: response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .part(let range):
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes[range]))
        case .notModified, .preconditionFailed, .unsatisfiable: break
        }
        return response
    }

    /// Creates the response for a document that is computed for each request.
    static func json(_ document: JSONValue, type: String = "application/json") -> Response {
        var fields = commonFields
        fields[.contentType] = type
        fields[.cacheControl] = "no-cache"
        return Response(
            status: .ok,
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.canonicalBytes))
        )
    }

    /// Creates an error response of the OCI API: `{"errors":[{"code":…,"message":…,"detail":…}]}`.
    static func failure(_ failure: RequestFailure) -> Response {
        var detail: [String: JSONValue] = ["code": .string(failure.error.code.rawValue)]
        if let remedy = failure.error.remedy { detail["remedy"] = .string(remedy) }
        let document: JSONValue = [
            "errors": [
                [
                    "code": .string(failure.code.rawValue),
                    "message": .string(failure.error.message), "detail": .object(detail),
                ]
            ]
        ]
        var response = json(document)
        response.status = failure.status
        for field in failure.fields { response.headers.append(field) }
        return response
    }

    /// Creates an error response `{"error":{"code":…,"message":…,"remedy":…}}` that must be revalidated.
    static func failure(_ error: ZooError, status: HTTPResponse.Status) -> Response {
        var members: [String: JSONValue] = [
            "code": .string(error.code.rawValue), "message": .string(error.message),
        ]
        if let remedy = error.remedy { members["remedy"] = .string(remedy) }
        let document: JSONValue = ["error": .object(members)]
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
