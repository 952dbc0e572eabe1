// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooInference
internal import ZooStore

/// A release or a plain folder, as commands take it.
struct ModelLocation {
    /// The model folder.
    let folder: String
    /// What to call it in messages.
    let name: String
    /// The release, when it is one.
    let release: InstalledRelease?

    /// Finds what a person means: an installed release first, then a folder.
    ///
    /// - Throws: ``ZooError`` with code `store.not-installed` or `io.not-found`.
    init(_ text: String, in store: ModelStore) throws(ZooError) {
        if !text.hasPrefix("/"), !text.hasPrefix("."),
            let reference = try? ModelReference(parsing: text)
        {
            do throws(ZooError) {
                let release = try store.installed(reference)
                self.init(release.folder, release.reference.description, release)
                return
            } catch {
                guard FileSystem.isFolder(text) else {
                    if try FileSystem.status(text) == nil { throw error }
                    throw ZooError(
                        .inputUnsuitable,
                        "'\(text)' is a file, and a model is an installed one or a folder",
                        remedy: "give the folder that holds the model's config.json"
                    )
                }
            }
        }
        let path = FileSystem.absolute(text)
        guard FileSystem.isFolder(path) else {
            throw ZooError(
                .fileMissing,
                "'\(text)' is neither an installed model nor a folder",
                remedy: "'ami-zoo cache ls' shows what is installed"
            )
        }
        // A folder that ami-zoo did not make is a model folder all the same.
        self.init(path, path, try? InstalledRelease(folder: path))
    }

    private init(_ folder: String, _ name: String, _ release: InstalledRelease?) {
        self.folder = folder
        self.name = name
        self.release = release
    }
}
