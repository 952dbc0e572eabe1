// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooStore

/// Short-lived tokens of the token endpoint: signed, not stored.
///
/// The key is in the memory of the server alone: what is stored would let a reader of a backup make
/// tokens. A restart therefore ends all of them, and clients ask for new ones.
struct SessionTokens: Sendable {
    /// What a session token says.
    struct Claims: Sendable, Equatable {
        /// The number of the token for which it stands; nil for an anonymous sender.
        let token: Int?
        /// The rights to which it is restricted; nil for all rights of the token.
        let scopes: [TokenScope]?
    }

    /// The lifetime in seconds.
    static let lifetime = 300
    /// How far in the future a session token may have been issued, in seconds.
    private static let clockTolerance = 60
    private static let prefix = "amzs_"
    private static let longest = 16_384

    private let authentication = MessageAuthentication()

    /// Issues a session token.
    ///
    /// - Parameters:
    ///   - claims: what it says.
    ///   - date: the time, in seconds since 1970.
    /// - Returns: letters, digits and underscores.
    func issue(_ claims: Claims, at date: Int) -> String {
        let rights = claims.scopes.map { $0.map(\.text).joined(separator: ",") } ?? "all"
        let message = Array("\(claims.token ?? 0)|\(date)|\(rights)".utf8)
        return Self.prefix + Self.hex(message + authentication.code(of: message))
    }

    /// Reads a session token; nil for a wrong or expired one.
    ///
    /// - Parameters:
    ///   - text: what a client sent.
    ///   - date: the time, in seconds since 1970.
    /// - Returns: what the token says.
    func claims(of text: String, at date: Int) -> Claims? {
        guard text.utf8.count <= Self.longest, text.hasPrefix(Self.prefix),
            let bytes = Self.bytes(text.utf8.dropFirst(Self.prefix.utf8.count)),
            bytes.count > MessageAuthentication.codeSize
        else { return nil }
        let message = Array(bytes.dropLast(MessageAuthentication.codeSize))
        let code = Array(bytes.suffix(MessageAuthentication.codeSize))
        guard authentication.isValid(code, for: message) else { return nil }
        let parts = String(decoding: message, as: UTF8.self)
            .split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 3, let id = Int(parts[0]), let issued = Int(parts[1]) else {
            return nil
        }
        // A clock that was set back must not lengthen the life of a session.
        guard date < issued + Self.lifetime, date >= issued - Self.clockTolerance else {
            return nil
        }
        let scopes =
            parts[2] == "all"
            ? nil
            : parts[2].split(separator: ",").compactMap { try? TokenScope(parsing: String($0)) }
        return Claims(token: id == 0 ? nil : id, scopes: scopes)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func hex(_ bytes: [UInt8]) -> String {
        String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }

    /// The bytes of lower-case hexadecimal digits; nil for other text.
    private static func bytes(_ text: Substring.UTF8View) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var (bytes, high) = ([UInt8](), UInt8?.none)
        for digit in text {
            guard let value = digits.firstIndex(of: digit).map(UInt8.init) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
