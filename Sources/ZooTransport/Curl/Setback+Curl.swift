// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import Foundation
import ZooCore

extension Setback {
    /// Explains a failed exchange.
    ///
    /// - Parameters:
    ///   - result: libcurl's result as a number, not 0; so that tests need not import libcurl.
    ///   - systemError: The `errno` of the failed connection, or 0.
    ///   - text: libcurl's own words.
    ///   - policy: The limits, for failures that are about one.
    init(libcurl result: UInt32, systemError: Int32, text: String, policy: TransferPolicy) {
        let code = CURLcode(rawValue: result)
        let system = systemError == 0 ? nil : unsafe String(cString: strerror(systemError))
        let fallback = text.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : text
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST: .transient(.hostUnknown, "no such host")
            case CURLE_COULDNT_RESOLVE_PROXY:
                .transient(.connectionFailed, "no such host for the proxy")
            case CURLE_COULDNT_CONNECT:
                .transient(.connectionFailed, system?.lowercased() ?? fallback)
            case CURLE_OPERATION_TIMEDOUT:
                .transient(
                    .connectionFailed,
                    "no connection within \(policy.connectTimeout.inSeconds)"
                )
            case CURLE_GOT_NOTHING:
                .transient(.interrupted, "the server closed without an answer")
            case CURLE_PARTIAL_FILE:
                .transient(.interrupted, "the connection closed before the end")
            case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
                .transient(.interrupted, system?.lowercased() ?? fallback)
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
                CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
                CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
                .permanent(.tlsFailed, fallback)
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING,
                CURLE_WRITE_ERROR:
                .permanent(.replyMalformed, fallback)
            default: .permanent(.libraryFailed, fallback)
            }
    }
}
