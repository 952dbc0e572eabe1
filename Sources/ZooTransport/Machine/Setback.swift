// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// Why one exchange with a server did not bring all that was asked for.
struct Setback: Sendable, Hashable {
    /// The code of the error, should it end the transfer.
    let code: ZooError.Code
    /// What happened, as part of a sentence: `connection reset by peer`.
    let reason: String
    /// Whether the same request may well succeed later.
    let isTransient: Bool
    /// How long the server asked to wait.
    let retryAfter: Duration?

    /// A setback that trying again may overcome.
    static func transient(
        _ code: ZooError.Code,
        _ reason: String,
        retryAfter: Duration? = nil
    ) -> Self {
        Self(code: code, reason: reason, isTransient: true, retryAfter: retryAfter)
    }

    /// A setback that trying again would only repeat.
    static func permanent(_ code: ZooError.Code, _ reason: String) -> Self {
        Self(code: code, reason: reason, isTransient: false, retryAfter: nil)
    }

    /// The error that ends a transfer at `address`; `repetition` is like ` five times`, or empty.
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

/// Failures in a row, none of which brought a byte.
struct FailureStreak: Sendable {
    private(set) var count = 0
    private var reason = ""
    private var isUniform = true

    mutating func add(_ setback: Setback) {
        isUniform = count == 0 || isUniform && reason == setback.reason
        count += 1
        reason = setback.reason
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
    fileprivate var transportRemedy: String? {
        switch self {
        case .hostUnknown, .connectionFailed, .interrupted, .stalled:
            "check the address and your network, then run the same command again; "
                + "what was verified is kept"
        case .serverUnavailable:
            "try the same command again later; what was verified is kept"
        case .tlsFailed:
            "check the address and the clock of this machine; behind a proxy with its own "
                + "certificate authority, configure that authority's file"
        case .resourceNotFound: "check the name and the address of the registry"
        case .loginRequired:
            "this version sends no credentials: use a registry, or a copy in a folder, that asks "
                + "for none"
        case .forbidden: "ask the registry's operator for access"
        case .rangesIgnored: "fetch the whole resource in one stream, or use another mirror"
        case .sizeMismatch, .resourceChanged:
            "the copy on this server is not the released one: use another mirror and tell its "
                + "operator"
        case .redirectRefused, .rangeInvalid, .contentEncoded, .replyMalformed, .statusUnexpected:
            "the server or a proxy on the way breaks HTTP: use another mirror or network"
        case .documentTooLarge: "check that the address names a registry"
        default: nil
        }
    }
}
