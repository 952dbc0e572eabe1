// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The name of a role that signs metadata.
package struct RoleName: Hashable, Sendable, CustomStringConvertible {
    private let name: ExactName

    private init(_ text: String) { name = ExactName(text) }

    /// The role that names the keys of the top-level roles.
    package static let root = Self("root")
    /// The role that says which snapshot is current.
    package static let timestamp = Self("timestamp")
    /// The role that says which version of each targets file is current.
    package static let snapshot = Self("snapshot")
    /// The role that lists and delegates targets.
    package static let targets = Self("targets")

    /// The largest size of the name of a delegated role, in UTF-8 bytes.
    package static let limit = 128

    /// Reads the name of a delegated role.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed` for an empty or long name and for the name
    ///   of a top-level role, whose stored file it would replace.
    package init(delegated text: String) throws(ZooError) {
        guard !text.isEmpty, text.utf8.count <= Self.limit else {
            throw .malformed(
                "the name of a role",
                "has \(text.utf8.count) bytes, and must have 1 to \(Self.limit)"
            )
        }
        // Some file systems ignore case.
        let reserved = [Self.root, .timestamp, .snapshot, .targets].map(\.description)
        guard !reserved.contains(text.lowercased()) else {
            throw .malformed("a delegated role", "is called '\(text)', as a top-level role")
        }
        self.init(text)
    }

    /// Reads the name of a targets role from its entry in a snapshot.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed`.
    init(listed name: String) throws(ZooError) {
        guard name.hasSuffix(".json") else {
            throw .malformed("the entry '\(name)' of the snapshot", "does not end in '.json'")
        }
        let text = String(name.dropLast(".json".count))
        if text.isExactly(Self.targets.name.text) {
            self = .targets
        } else {
            try self.init(delegated: text)
        }
    }

    /// Reads the name of a role from that of its file without a version.
    ///
    /// - Throws: ``ZooError`` with code `trust.malformed` for any other file name.
    package init(fileName: String) throws(ZooError) {
        let malformed = ZooError.malformed("the file name '\(fileName)'", "is not that of a role")
        guard fileName.hasSuffix(".json"),
            let text = String(fileName.dropLast(".json".count)).percentDecoded
        else { throw malformed }
        let top = [Self.root, .timestamp, .snapshot, .targets].first { $0.name.text == text }
        if let top { self = top } else { try self.init(delegated: text) }
        guard self.fileName().isExactly(fileName) else { throw malformed }
    }

    /// The text of the name.
    package var description: String { name.text }

    /// The name of the role's file, with the version in front if one is given.
    ///
    /// The name is percent-encoded with the slash, so that it stays one component of a path.
    package func fileName(version: Int? = nil) -> String {
        let prefix = version.map { "\($0)." } ?? ""
        return prefix + name.text.percentEncoded(keeping: "") + ".json"
    }
}

extension String {
    /// The text without percent-encoding; nil for text that is not percent-encoded.
    fileprivate var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The text with each byte percent-encoded except unreserved ones (RFC 3986) and those kept.
    func percentEncoded(keeping kept: String) -> String {
        var bytes: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            case _ where kept.utf8.contains(byte):
                bytes.append(byte)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                bytes += "%\(byte < 16 ? "0" : "")\(digits)".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
