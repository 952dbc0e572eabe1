// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The files of a TUF repository, local or remote; nothing that it returns is trusted.
package protocol RepositoryFiles: Sendable {
    /// Fetches a file.
    ///
    /// - Parameters:
    ///   - name: the percent-encoded path below the folder of metadata or of targets.
    ///   - limit: the largest size in bytes.
    /// - Returns: the content; nil if the repository does not have the file or does not show it.
    /// - Throws: ``ZooError`` with code `trust.too-large` (``ZooError/tooLarge(_:limit:)``) above
    ///   the limit; the transport's errors.
    func file(_ name: String, limit: Int) async throws -> [UInt8]?
}

extension ZooError {
    /// The error for a file that is larger than the client accepts.
    package static func tooLarge(_ name: String, limit: Int) -> ZooError {
        ZooError(
            .trustTooLarge,
            "the file '\(name)' has more than \(limit) bytes, the limit of the client",
            remedy: "report it to the registry's owner"
        )
    }
}
