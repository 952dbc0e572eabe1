// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// The model argument of `verify` and `repair`: an installed release, or else a folder.
package struct ModelArgument: Sendable {
    /// The folders of the release, the whole before its parts; or the folder.
    package let folders: [String]
    /// The reference; nil for a folder.
    package let reference: ModelReference?

    /// Resolves an argument.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - text: a reference or a folder.
    ///   - components: selects the folders that hold these components, if there are any.
    ///   - store: the local store.
    /// - Throws: ``ZooError`` with code `store.not-installed` or `io.not-found` when it is neither.
    package init(
        _ text: String,
        holding components: Set<String>? = nil,
        in store: ModelStore
    ) throws(ZooError) {
        if !text.hasPrefix("/"), !text.hasPrefix("."),
            let reference = try? ModelReference(parsing: text)
        {
            do throws(ZooError) {
                let all = try store.folders(of: reference)
                let holding = components.flatMap {
                    try? store.folders(of: reference, holding: .components($0))
                }
                folders = holding ?? all
                self.reference = reference
                return
            } catch {
                guard error.code == .notInstalled, FileSystem.isFolder(text) else { throw error }
            }
        }
        let folder = FileSystem.absolute(text)
        guard FileSystem.isFolder(folder) else {
            throw ZooError(
                .fileMissing,
                "'\(text)' is neither an installed release nor a folder",
                remedy: "list what is installed with 'ami-zoo cache ls'"
            )
        }
        folders = [folder]
        reference = nil
    }
}
