// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import Foundation
import ZooCore

/// What libcurl says about a failed exchange.
struct CurlReport: Sendable {
    /// libcurl's result as a number, not 0; so that tests need not import libcurl.
    var result: UInt32
    /// The `errno` of the failed connection, or 0.
    var systemError: Int32 = 0
    /// libcurl's own description.
    var text = ""
    /// The status of a proxy's answer to CONNECT, or 0.
    var connectStatus = 0
}

extension TransferFailure {
    /// Explains a failed exchange.
    ///
    /// - Parameters:
    ///   - report: what libcurl says.
    ///   - proxy: the proxy for the address, as messages show it.
    ///   - connectTimeout: the longest time to establish a connection.
    init(_ report: CurlReport, proxy: String?, connectTimeout: Duration) {
        let code = CURLcode(rawValue: report.result)
        let text =
            report.text.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : report.text
        let system =
            report.systemError == 0
            ? nil : unsafe String(cString: strerror(report.systemError)).lowercased()
        let named = proxy.map { "the proxy \($0)" } ?? "the proxy"
        if report.connectStatus != 0, !(200...299).contains(report.connectStatus) {
            self = .refusal(by: named, status: report.connectStatus)
            return
        }
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST: .transient(.hostUnknown, "no such host")
            case CURLE_COULDNT_RESOLVE_PROXY:
                .transient(.hostUnknown, "the host of \(named) does not exist")
            case CURLE_COULDNT_CONNECT:
                .transient(.connectionFailed, "\(system ?? text)\(Self.place(text, proxy))")
            case CURLE_PROXY: .transient(.connectionFailed, "\(named): \(text)")
            case CURLE_OPERATION_TIMEDOUT:
                .transient(
                    .connectionFailed,
                    "no connection within \(connectTimeout.inSeconds)"
                )
            case CURLE_GOT_NOTHING:
                .transient(.interrupted, "the server closed without an answer")
            case CURLE_PARTIAL_FILE:
                .transient(.interrupted, "the connection closed before the end")
            case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
                .transient(.interrupted, system ?? text)
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
                CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
                CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
                .permanent(.tlsFailed, text)
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING,
                CURLE_WRITE_ERROR:
                .permanent(.replyMalformed, text)
            default: .permanent(.libraryFailed, text)
            }
    }

    /// A proxy's answer to CONNECT.
    private static func refusal(by proxy: String, status: Int) -> Self {
        let reason = "\(proxy) answered \(status)"
        return switch status {
        case 407: .permanent(.proxyLoginRequired, reason)
        case 408, 425, 429, 500...599: .transient(.connectionFailed, reason)
        default: .permanent(.proxyRefused, reason)
        }
    }

    /// Names the proxy when it, not the server, was the host to connect to.
    private static func place(_ text: String, _ proxy: String?) -> String {
        guard let proxy else { return "" }
        let start = proxy.firstRange(of: "://")?.upperBound ?? proxy.startIndex
        let host = proxy[start...].prefix { $0 != ":" && $0 != "/" }
        return text.contains("to \(host) port") ? " by the proxy \(proxy)" : ""
    }
}
