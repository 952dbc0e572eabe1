// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A model folder, which holds `config.json` and the weights.
package struct ModelFolder: Sendable {
    /// The maximum size of a configuration in bytes; lists of labels make some of them long.
    private static let limit = 4 << 20

    /// The path of the folder.
    package let path: String
    /// The members of `config.json`.
    package let configuration: JSONObject

    /// Reads the configuration.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` or `io.*`.
    package init(_ path: String) throws(ZooError) {
        self.path = path
        let file = "\(path)/config.json"
        // The Hugging Face cache consists of symbolic links.
        let bytes = try FileSystem.document(file, limit: Self.limit, followingLinks: true)
        do {
            configuration = try JSONObject(try JSONValue(parsing: bytes))
        } catch {
            throw ZooError(
                .configurationInvalid,
                "'\(file)' is not a valid configuration",
                cause: error
            )
        }
    }
}

extension ModelFolder {
    /// Reads the configuration of a family, and names the family in errors.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` instead of
    ///   `format.field-invalid`, and any other error of `body`.
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
