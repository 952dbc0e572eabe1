// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
package import ZooFiles

extension UploadFolder {
    /// Starts a block-wise upload, or opens the one that the same sender started for the same archive.
    ///
    /// - Parameters:
    ///   - target: the archive, its block table, which is a blob of this folder, and the sender.
    ///   - repository: the repository that gets the archive, and in which the table is readable.
    /// - Returns: the upload, open for sending blocks.
    /// - Throws: ``ZooError`` with code `upload.table-invalid`, `upload.too-large`, `upload.too-many`,
    ///   `upload.busy` while another request ends the upload, or `io.*`.
    package func startBlocks(
        of target: UploadSession.Blocks,
        in repository: RepositoryName
    ) throws(ZooError) -> BlockUpload {
        let session = UploadSession(repository: repository, blocks: target)
        let id = UploadID(of: session)
        return try starting.withLock { _ throws(ZooError) in
            do throws(ZooError) {
                let upload = try openBlocks(id, target, in: repository, .shared)
                try upload.touch()
                return upload
            } catch  where error.code.category == .notFound || error.code.category == .badData {
                // There is none, or what an interrupted start left.
                remove(id)
            }
            let blocks = UploadBlocks(try table(target))
            try admit(id)
            do throws(ZooError) {
                return try create(id, session, target, blocks)
            } catch {
                remove(id)
                throw error
            }
        }
    }

    private func create(
        _ id: UploadID,
        _ session: UploadSession,
        _ target: UploadSession.Blocks,
        _ blocks: UploadBlocks
    ) throws(ZooError) -> BlockUpload {
        // Not synchronised: after a power failure the client starts again.
        let data = try OpenFile("\(path)/\(id)/data", .createNew)
        guard data.tryLock(.shared) else { throw busy(id) }
        try data.resize(to: blocks.archiveSize)
        try OpenFile("\(path)/\(id)/blocks", .createNew).write(blocks.bytes, at: 0)
        let states = try OpenFile("\(path)/\(id)/states", .createNew)
        let missing = UploadBlocks.State.missing.rawValue
        try states.write([UInt8](repeating: missing, count: blocks.count), at: 0)
        // Last: an upload with this file is complete.
        try OpenFile("\(path)/\(id)/session.json", .createNew)
            .write(session.canonicalBytes, at: 0)
        return BlockUpload(id, session, target.archive, blocks, data: data, states: states, self)
    }

    private func table(_ target: UploadSession.Blocks) throws(ZooError) -> BlockTable {
        let table: BlockTable
        do throws(ZooError) {
            table = try BlockTable(
                canonical: try blobs.read(target.table, limit: FormatLimits.blockTable)
            )
        } catch {
            guard [.badData, .integrity, .notPermitted].contains(error.code.category) else {
                throw error
            }
            throw ZooError(
                .uploadTable,
                "the blob \(target.table) is not a block table: \(error.message)",
                remedy: "pack the release again, and upload its block table first"
            )
        }
        guard table.archiveDigest == target.archive else {
            throw ZooError(
                .uploadTable,
                "the block table \(target.table) belongs to the archive \(table.archiveDigest), not to "
                    + "\(target.archive)",
                remedy: "name the block table of the archive"
            )
        }
        guard table.archiveSize <= FormatLimits.largestFile else {
            throw ZooError(
                .uploadTooLarge,
                "the archive would have more than \(FormatLimits.largestFile) bytes"
            )
        }
        return table
    }

    /// Opens a block-wise upload for one request.
    ///
    /// - Parameters:
    ///   - id: the name.
    ///   - subject: the name of the sender's token; nil for an anonymous sender.
    ///   - repository: the repository.
    ///   - lock: exclusive to end the upload, shared for everything else.
    /// - Returns: the upload.
    /// - Throws: ``ZooError`` with code `upload.not-found`, also for an upload of another repository or
    ///   sender, `upload.busy` while another request has a lock that excludes this one, or `io.*`.
    package func openBlocks(
        _ id: UploadID,
        by subject: String?,
        in repository: RepositoryName,
        _ lock: OpenFile.Lock
    ) throws(ZooError) -> BlockUpload {
        guard let target = try session(of: id, in: repository).blocks, target.subject == subject
        else { throw unknown(id) }
        return try openBlocks(id, target, in: repository, lock)
    }

    private func openBlocks(
        _ id: UploadID,
        _ target: UploadSession.Blocks,
        in repository: RepositoryName,
        _ lock: OpenFile.Lock
    ) throws(ZooError) -> BlockUpload {
        let session = UploadSession(repository: repository, blocks: target)
        guard try self.session(of: id, in: repository) == session else { throw unknown(id) }
        let data = try openData(id, lock)
        let bytes = try FileSystem.document("\(path)/\(id)/blocks", limit: .max)
        let states = try OpenFile("\(path)/\(id)/states", .write)
        guard let blocks = UploadBlocks(bytes), try states.status().size == blocks.count,
            try data.status().size == blocks.archiveSize
        else { throw unknown(id) }
        return BlockUpload(id, session, target.archive, blocks, data: data, states: states, self)
    }
}
