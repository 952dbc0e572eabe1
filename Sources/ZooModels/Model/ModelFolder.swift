// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A folder with a model: `config.json`, and weights beside it.
package struct ModelFolder: Sendable {
    /// Bytes of a configuration; label lists make some of them long.
    private static let limit = 4 << 20

    /// The path.
    package let path: String
    /// The members of `config.json`.
    package let configuration: JSONObject

    /// Reads the configuration.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` or `io.*`.
    package init(_ path: String) throws(ZooError) {
        self.path = path
        let file = "\(path)/config.json"
        // The cache of Hugging Face is made of symbolic links.
        let bytes = try FileSystem.document(file, limit: Self.limit, followingLinks: true)
        do {
            configuration = try JSONObject(try JSONValue(parsing: bytes))
        } catch {
            throw ZooError(
                .configurationInvalid,
                "'\(file)' is not a configuration",
                cause: error
            )
        }
    }
}

extension ModelFolder {
    /// Reads the configuration of a family, and says which family's is not valid.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` in place of `format.field-invalid`,
    ///   or what `body` throws.
    func configuration<Result>(
        of family: FamilyID,
        _ body: (JSONObject) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        do {
            return try body(configuration)
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the \(family.title) configuration is not valid",
                cause: error
            )
        }
    }
}
