// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ContentHashes {
    /// The SHA-256 of content.
    package init(sha256 digest: ContentDigest) {
        sha256 = [UInt8](hexadecimal: digest.hex)
        sha512 = nil
    }

    /// The SHA-256; nil if only SHA-512 is said.
    package var digest: ContentDigest? {
        sha256.flatMap { try? ContentDigest(hex: $0.hexadecimal) }
    }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [:]
        if let sha256 { members["sha256"] = .string(sha256.hexadecimal) }
        if let sha512 { members["sha512"] = .string(sha512.hexadecimal) }
        return .object(members)
    }
}

extension MetadataFile {
    /// What a metadata file is, with size and hash.
    init(version: Int, _ bytes: [UInt8]) {
        self.version = version
        length = bytes.count
        hashes = ContentHashes(sha256: ContentDigest(of: bytes))
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["version": .integer(version)]
        if let length { members["length"] = .integer(length) }
        if let hashes { members["hashes"] = hashes.json }
        return .object(members)
    }
}

extension TargetFile {
    /// Describes the content of a target.
    package init(_ path: String, content: [UInt8]) {
        self.path = path
        length = content.count
        hashes = ContentHashes(sha256: ContentDigest(of: content))
        custom = nil
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["length": .integer(length), "hashes": hashes.json]
        if let custom { members["custom"] = custom }
        return .object(members)
    }
}
