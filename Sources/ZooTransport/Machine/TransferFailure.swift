// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// Why one exchange with a server failed.
struct TransferFailure: Sendable, Hashable {
    /// The code of the error, if the failure ends the transfer.
    let code: ZooError.Code
    /// What happened, as part of a sentence: `connection reset by peer`.
    let reason: String
    /// Whether a retry may succeed.
    let isTransient: Bool
    /// How long the server asked to wait.
    let retryAfter: Duration?

    /// A failure that a retry may overcome.
    static func transient(
        _ code: ZooError.Code,
        _ reason: String,
        retryAfter: Duration? = nil
    ) -> Self {
        Self(code: code, reason: reason, isTransient: true, retryAfter: retryAfter)
    }

    /// A failure that a retry would only repeat.
    static func permanent(_ code: ZooError.Code, _ reason: String) -> Self {
        Self(code: code, reason: reason, isTransient: false, retryAfter: nil)
    }

    /// Whether the server certainly received nothing, so that any request can be sent again.
    var precedesRequest: Bool { code == .hostUnknown || code == .connectionFailed }

    /// The error that ends a transfer; `repetition` is like ` five times`, or empty.
    func error(at address: WebAddress, repetition: String = "", cause: (any Error)? = nil)
        -> ZooError
    {
        let subject = code == .hostUnknown ? address.host : address.description
        return ZooError(
            code,
            "\(subject): \(reason)\(repetition)",
            remedy: code.transportRemedy,
            cause: cause
        )
    }
}

extension TransferFailure {
    /// The meaning of a status other than one of success.
    init(status head: ResponseHead) {
        let reason = "the server answered \(head.status)"
        self =
            switch head.status {
            case 401: .permanent(.loginRequired, reason)
            case 403: .permanent(.forbidden, reason)
            case 404, 410: .permanent(.resourceNotFound, reason)
            case 413: .permanent(.bodyTooLarge, "\(reason): the request body is too large for it")
            case 507: .permanent(.serverFull, "\(reason): its disk is full")
            case 511: .permanent(.webPage, "the network asks for a login first (511)")
            case 408, 425, 429, 500...599:
                .transient(.serverUnavailable, reason, retryAfter: head.retryAfter)
            default: .permanent(.statusUnexpected, reason)
            }
    }
}

/// Failures in a row without a delivered byte between them.
struct FailureStreak: Sendable {
    private(set) var count = 0
    private var reason = ""
    private var isUniform = true

    mutating func add(_ failure: TransferFailure) {
        isUniform = count == 0 || isUniform && reason == failure.reason
        count += 1
        reason = failure.reason
    }

    /// ` five times` when the reason was always the same, else ` (after 5 attempts)`.
    var repetition: String {
        let words = ["", "", " twice", " three times", " four times", " five times"]
        guard isUniform else { return " (after \(count) attempts)" }
        return words.indices.contains(count) ? words[count] : " \(count) times"
    }
}

extension ZooError.Code {
    /// What the reader of a transport error can do next.
    var transportRemedy: String? {
        switch self {
        case .hostUnknown:
            "check the name and your network, then run the same command again; verified bytes are "
                + "kept"
        case .connectionFailed, .interrupted, .stalled:
            "check the address and your network, then run the same command again, with a longer "
                + "--timeout for a slow server; verified bytes are kept"
        case .serverUnavailable:
            "run the same command again later; verified bytes are kept"
        case .serverFull:
            "ask the registry's operator to free space, then run the same command again"
        case .tlsFailed:
            "check the address and the clock of this machine; where a proxy or a registry has its "
                + "own certificate authority, name its PEM file with --ca-file or SSL_CERT_FILE"
        case .proxyLoginRequired:
            "put user name and password into the proxy's address, as in "
                + "https_proxy=http://USER:PASSWORD@HOST:PORT"
        case .proxyRefused:
            "ask the proxy's operator to allow the address, or contact its host directly: add it to "
                + "no_proxy"
        case .webPage:
            "open the address in a browser: a login page of the network or of the site is in the "
                + "way; then run the same command again"
        case .resourceNotFound: "check the name and the address of the registry"
        case .loginRequired:
            "this version sends no credentials: use a registry, or a copy in a folder, that needs "
                + "none"
        case .forbidden: "ask the registry's operator for access"
        case .bodyTooLarge:
            "ask the registry's operator to allow larger uploads, in nginx client_max_body_size"
        case .rangesIgnored: "download the whole resource in one stream, or use another mirror"
        case .sizeMismatch, .resourceChanged:
            "the copy on this server is not the released one: use another mirror, and tell the "
                + "server's operator"
        case .redirectRefused, .rangeInvalid, .contentEncoded, .replyMalformed, .statusUnexpected:
            "the server, or a proxy in between, does not follow HTTP: use another mirror or network"
        case .documentTooLarge: "check that the address is that of a registry"
        default: nil
        }
    }
}
