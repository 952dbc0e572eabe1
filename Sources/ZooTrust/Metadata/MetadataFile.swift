// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a signed document says about a metadata file.
package struct MetadataFile: Hashable, Sendable {
    /// The version, at least 1.
    package let version: Int
    /// The size in bytes; nil if it is not said.
    package let length: Int?
    /// The hashes; nil if none are said.
    package let hashes: ContentHashes?

    /// Reads an entry of `meta`.
    init(_ object: JSONObject) throws(ZooError) {
        version = try object.integer("version", in: 1...JSONValue.largestInteger)
        length = try object.optionalInteger("length", in: 1...JSONValue.largestInteger)
        hashes = try object.optionalObject("hashes").map { object throws(ZooError) in
            try ContentHashes(object)
        }
    }

    /// Checks the size and the hashes of a file, as far as they are said.
    ///
    /// - Throws: ``ZooError`` with code `trust.content-mismatch`.
    func require(_ bytes: [UInt8], of role: RoleName) throws(ZooError) {
        let file = "the metadata file '\(role)'"
        if let length, length != bytes.count { throw .length(of: file, bytes.count, length) }
        try hashes?.require(bytes, of: file)
    }
}

/// What targets metadata says about a target file.
package struct TargetFile: Hashable, Sendable {
    /// The path of the target in its repository.
    package let path: String
    /// The size in bytes.
    package let length: Int
    /// The hashes.
    package let hashes: ContentHashes
    /// The application's data about the file; nil if there are none.
    package let custom: JSONValue?

    init(_ path: String, _ object: JSONObject) throws(ZooError) {
        self.path = path
        length = try object.integer("length", in: 0...JSONValue.largestInteger)
        hashes = try ContentHashes(try object.object("hashes"))
        custom = object.value("custom")
    }

    /// Checks the content of a target.
    ///
    /// - Throws: ``ZooError`` with code `trust.content-mismatch`.
    package func require(_ bytes: [UInt8]) throws(ZooError) {
        let file = "the target '\(path)'"
        guard bytes.count == length else { throw .length(of: file, bytes.count, length) }
        try hashes.require(bytes, of: file)
    }

    /// The path of the file below the repository's folder of targets, percent-encoded.
    ///
    /// - Parameter consistent: whether the file name begins with the file's hash.
    /// - Returns: the path.
    package func fileName(consistent: Bool) -> String {
        guard consistent else { return path.percentEncoded(keeping: "/") }
        var components = path.split(separator: "/", omittingEmptySubsequences: false).map(
            String.init
        )
        let name = components.removeLast()
        components.append("\(hashes.preferred).\(name)")
        return components.joined(separator: "/").percentEncoded(keeping: "/")
    }
}

extension ZooError {
    fileprivate static func length(of file: String, _ found: Int, _ expected: Int) -> ZooError {
        ZooError(
            .trustContent,
            "\(file) has \(found) bytes; its signed length is \(expected)",
            remedy: "run the command again; if the error persists, report it to the registry's "
                + "owner"
        )
    }
}
