// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension FileSystem {
    /// Writes a small file atomically: readers see the old or the new content, never a mix.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; the old content remains in this case.
    package static func writeAtomically(_ path: String, _ bytes: [UInt8]) throws(ZooError) {
        let draft = try FileDraft(of: path)
        do throws(ZooError) {
            try draft.file.write(bytes, at: 0)
            try draft.commit()
        } catch {
            draft.discard()
            throw error
        }
    }

    /// Writes a file incrementally and atomically: readers see the old or the new content.
    ///
    /// When the call returns, the file is on disk. It keeps the permissions of the file that it
    /// replaces.
    ///
    /// - Parameters:
    ///   - path: the file to write; a symbolic link is replaced, a folder or device is rejected.
    ///   - body: writes to the given file.
    /// - Returns: what `body` returns.
    /// - Throws: ``ZooError`` with an `io.*` code, or what `body` throws; the old content remains,
    ///   and no temporary file.
    @discardableResult
    package static func writeAtomically<Result>(
        _ path: String,
        _ body: (OpenFile) throws -> Result
    ) throws -> Result {
        let draft = try FileDraft(of: path)
        do {
            let result = try body(draft.file)
            try draft.commit()
            return result
        } catch {
            draft.discard()
            throw error
        }
    }
}

/// A temporary file in the folder of the file that it will replace.
private struct FileDraft {
    let file: OpenFile
    private let path: String

    init(of path: String) throws(ZooError) {
        let old = try FileSystem.status(path)
        // A rename would replace a device with a file.
        if let kind = old?.kind, kind == .folder || kind == .other { throw .notAFile(path, kind) }
        self.path = path
        file = try OpenFile(
            "\(FileSystem.parent(of: path))/.\(FileSystem.uniqueName()).tmp",
            .createNew
        )
        guard let old, old.kind == .file else { return }
        do throws(ZooError) {
            try file.setPermissions(old.permissions)
        } catch {
            discard()
            throw error
        }
    }

    func commit() throws(ZooError) {
        try file.synchronize()
        try FileSystem.rename(file.path, to: path)
    }

    func discard() {
        // Report the first error; the name of a file that remains identifies it as temporary.
        try? FileSystem.remove(file.path)
    }
}
