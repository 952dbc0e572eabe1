// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension FileSystem {
    /// Writes a file from a few bytes: the old content or the new is there at every instant.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; then the old content is still there.
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

    /// Writes a file as its bytes come: the old content or the new is there at every instant.
    ///
    /// When the call returns, the file is on the disk. It keeps the permissions of the file that it
    /// replaces.
    ///
    /// - Parameters:
    ///   - path: the file to write; a symbolic link is replaced, a folder or device is refused.
    ///   - body: writes to the file that it is given.
    /// - Returns: what `body` returns.
    /// - Throws: ``ZooError`` with an `io.*` code, or what `body` throws; then the old content is
    ///   still there, and nothing else.
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

/// A file that is being written beside the one it will replace.
private struct FileDraft {
    let file: OpenFile
    private let path: String

    init(of path: String) throws(ZooError) {
        let old = try FileSystem.status(path)
        // A rename would put a file in the place of a device.
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
        // The first failure is the one to report; a leftover says what it is by its name.
        try? FileSystem.remove(file.path)
    }
}
