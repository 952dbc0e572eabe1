// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ZooCore
internal import ZooRegistry

extension ServerResponder {
    /// Answers `/metrics`, for those who may read every namespace of the registry at the root.
    ///
    /// - Throws: ``RequestFailure`` with status 401, or 403 where credentials do not help.
    func metrics(for request: Request, _ access: Access) throws(RequestFailure) -> Response {
        guard access.allows(.read, in: Access.everywhere) else {
            var failure = RequestFailure(
                .unauthorized,
                .unauthorized,
                ZooError(
                    .unauthorized,
                    "the metrics need a token that may read every namespace",
                    remedy: "send it as 'Authorization: Bearer TOKEN'"
                )
            )
            if access.subject == nil { mounts.main.challenge(request, nil, &failure) }
            if failure.fields[.wwwAuthenticate] != nil { throw failure }
            throw RequestFailure(.forbidden, .denied, .notAllowed(.read, Access.everywhere))
        }
        let text = log.metrics.text(uploads: mounts.uploads)
        var fields: HTTPFields = [.xContentTypeOptions: "nosniff"]
        fields[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        fields[.cacheControl] = "no-cache"
        return Response(
            status: .ok,
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
