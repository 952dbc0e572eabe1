// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooInference
internal import ZooStore

/// The model argument of a command: an installed release or a folder.
struct ModelLocation {
    /// The model folder.
    let folder: String
    /// The name in messages.
    let name: String
    /// The release; nil for a folder without a release record.
    let release: InstalledRelease?

    /// Resolves a model argument: an installed release first, then a folder.
    ///
    /// - Throws: ``ZooError`` with code `store.not-installed` or `io.not-found`; `release.not-a-model`
    ///   for a data set.
    init(_ text: String, in store: ModelStore) throws(ZooError) {
        if !text.hasPrefix("/"), !text.hasPrefix("."),
            let reference = try? ModelReference(parsing: text)
        {
            var found: InstalledRelease?
            do throws(ZooError) {
                found = try store.installed(reference)
            } catch {
                guard FileSystem.isFolder(text) else {
                    if try FileSystem.status(text) == nil { throw error }
                    throw ZooError(
                        .inputUnsuitable,
                        "'\(text)' is a file, not an installed model or a folder",
                        remedy: "give the folder that holds the model's config.json"
                    )
                }
            }
            if let found {
                try self.init(found.folder, found.reference.description, found)
                return
            }
        }
        let path = FileSystem.absolute(text)
        guard FileSystem.isFolder(path) else {
            throw ZooError(
                .fileMissing,
                "'\(text)' is neither an installed model nor a folder",
                remedy: "run 'ami-zoo cache ls' to list the installed models"
            )
        }
        // A folder without a release record is also a model folder.
        try self.init(path, path, try? InstalledRelease(folder: path))
    }

    private init(
        _ folder: String,
        _ name: String,
        _ release: InstalledRelease?
    ) throws(ZooError) {
        _ = try release?.record.requireModel()
        self.folder = folder
        self.name = name
        self.release = release
    }
}
