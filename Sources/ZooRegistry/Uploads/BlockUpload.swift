// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
internal import ZooStore

/// A block-wise upload of an archive that one request has open: blocks arrive in any order, and blocks
/// that the repository has already are copied.
///
/// ```
/// .uploads/<id>/blocks   the places and digests of the blocks
/// .uploads/<id>/states   one byte per block: '-' missing, '+' received, '=' reusable, '!' lost
/// ```
/// The states may be behind the bytes or, after a power failure, ahead of them: every block is checked
/// at the end, and one that does not match is missing again. Requests that send blocks share the upload;
/// the one that ends it has it alone. All members block.
package final class BlockUpload: Sendable {
    /// The name.
    package let id: UploadID
    /// What the upload is for.
    package let session: UploadSession
    /// The digest of the archive.
    package let archive: ContentDigest
    let blocks: UploadBlocks
    private let data: OpenFile
    private let states: OpenFile
    private let folder: UploadFolder

    init(
        _ id: UploadID,
        _ session: UploadSession,
        _ archive: ContentDigest,
        _ blocks: UploadBlocks,
        data: OpenFile,
        states: OpenFile,
        _ folder: UploadFolder
    ) {
        self.id = id
        self.session = session
        self.archive = archive
        self.blocks = blocks
        self.data = data
        self.states = states
        self.folder = folder
    }

    deinit { release() }

    /// Lets other requests open the upload; nothing may be called afterwards.
    package func release() { data.unlock() }

    /// Protects the upload from expiry for a while.
    func touch() throws(ZooError) { try data.touch() }

    /// Ends the upload and forgets its bytes.
    package func discard() { folder.remove(id) }

    // MARK: States

    private func currentStates() throws(ZooError) -> [UploadBlocks.State] {
        // What somebody else wrote into the file is sent again.
        try states.bytes(0..<blocks.count).map { UploadBlocks.State(rawValue: $0) ?? .missing }
    }

    private func set(
        _ state: UploadBlocks.State,
        _ range: Range<Int>
    ) throws(ZooError) {
        guard !range.isEmpty else { return }
        try states.write(
            [UInt8](repeating: state.rawValue, count: range.count),
            at: range.lowerBound
        )
    }

    /// The largest range that ``missing(reusing:)`` lists, unless one block is larger.
    private static let largestRange = 64 << 20

    /// The byte ranges of the archive that must still be sent, each at most 64 MiB of whole blocks.
    ///
    /// - Parameter stored: the blocks of the repository, which are looked up again.
    /// - Returns: the ranges in ascending order.
    /// - Throws: ``ZooError`` with an `io.*` code, or the error of `stored`.
    package func missing(reusing stored: RepositoryBlocks) throws -> [Range<Int>] {
        let states = try currentStates()
        let waiting = states.indices.filter { states[$0] != .received }
        let digests = try waiting.map { try blocks.digest(of: $0) }
        let wanted = Set(zip(waiting, digests).filter { states[$0.0] != .lost }.map(\.1))
        let places = try stored.places(of: wanted, in: session.repository)
        var missing: [Range<Int>] = []
        for (block, digest) in zip(waiting, digests) {
            let range = blocks.range(of: block)
            if states[block] != .lost {
                let isStored = places[digest]?.range.count == range.count
                let state = isStored ? UploadBlocks.State.reusable : .missing
                // A block that arrives meanwhile may get this state: it is sent or copied again.
                if states[block] != state { try set(state, block..<block + 1) }
                guard !isStored else { continue }
            }
            if let last = missing.last, last.upperBound == range.lowerBound,
                range.upperBound - last.lowerBound <= Self.largestRange
            {
                missing[missing.count - 1] = last.lowerBound..<range.upperBound
            } else {
                missing.append(range)
            }
        }
        return missing
    }

    // MARK: Receiving

    /// Begins to receive a range.
    ///
    /// - Parameter range: bytes of the archive: whole blocks that are missing.
    /// - Returns: the place to write the bytes to.
    /// - Throws: ``ZooError`` with code `upload.range-invalid` or `io.*`.
    package func piece(_ range: Range<Int>) throws(ZooError) -> Piece {
        guard let members = blocks.blocks(in: range) else {
            throw ZooError(
                .uploadRange,
                "the bytes \(range.lowerBound) to \(range.upperBound - 1) are not whole blocks of the "
                    + "archive, which has \(blocks.archiveSize) bytes",
                remedy: Self.rangeRemedy
            )
        }
        let states = try currentStates()
        guard members.allSatisfy({ states[$0] == .missing || states[$0] == .lost }) else {
            throw ZooError(
                .uploadRange,
                "some of the bytes \(range.lowerBound) to \(range.upperBound - 1) are not missing",
                remedy: Self.rangeRemedy
            )
        }
        return Piece(self, range, members)
    }

    private static let rangeRemedy =
        "send ranges of the list that the upload's location answers, or parts of them at block "
        + "boundaries"

    /// A range that one request sends, from its first byte to its last.
    package struct Piece: Sendable {
        /// The bytes that are still to come.
        package private(set) var rest: Range<Int>
        private let upload: BlockUpload
        private var waiting: Range<Int>

        init(_ upload: BlockUpload, _ range: Range<Int>, _ blocks: Range<Int>) {
            self.upload = upload
            rest = range
            waiting = blocks
        }

        /// Writes the next bytes, at most as many as are still to come.
        ///
        /// - Throws: ``ZooError`` with an `io.*` code; blocks that were complete before remain.
        package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ZooError) {
            precondition(bytes.count <= rest.count, "more bytes than the range has")
            unsafe try upload.data.write(bytes, at: rest.lowerBound)
            rest = rest.lowerBound + bytes.count..<rest.upperBound
            var end = waiting.lowerBound
            while end < waiting.upperBound,
                upload.blocks.range(of: end).upperBound <= rest.lowerBound
            {
                end += 1
            }
            // After the bytes: a state must not claim what was not written.
            try upload.set(.received, waiting.lowerBound..<end)
            waiting = end..<waiting.upperBound
        }
    }

    // MARK: Ending

    /// Ends the upload: checks every block and the archive, which becomes a blob of the repository.
    ///
    /// - Parameters:
    ///   - stored: the blocks of the repository, from which reusable blocks are copied.
    ///   - cancellation: stops the work between blocks.
    /// - Throws: ``ZooError`` with code `upload.incomplete` when blocks are missing, also because their
    ///   source was removed; `upload.block-mismatch` when blocks are wrong, which are missing again, and
    ///   the others remain; `upload.digest-mismatch` when the table lists other bytes than the archive
    ///   has, which ends the upload; or `io.*`; `CancellationError`.
    package func finish(reusing stored: RepositoryBlocks, _ cancellation: Cancellation) throws {
        let states = try currentStates()
        let missing = states.count { $0 == .missing || $0 == .lost }
        guard missing == 0 else { throw incomplete(missing) }
        let reusable = states.indices.filter { states[$0] == .reusable }
        var source = try stored.reader(
            of: Set(try reusable.map { try blocks.digest(of: $0) }),
            in: session.repository
        )
        var (whole, wrong, lost) = (ContentDigest.Hasher(), 0, 0)
        for block in states.indices {
            try cancellation.check()
            let range = blocks.range(of: block)
            let digest = try blocks.digest(of: block)
            if states[block] == .reusable {
                guard let bytes = source.bytes(of: digest, size: range.count) else {
                    try set(.lost, block..<block + 1)
                    lost += 1
                    continue
                }
                try data.write(bytes, at: range.lowerBound)
                // A repeated request does not copy it again.
                try set(.received, block..<block + 1)
                whole.update(bytes)
            } else {
                let bytes = try data.bytes(range)
                if ContentDigest(of: bytes) != digest {
                    try set(.missing, block..<block + 1)
                    wrong += 1
                }
                whole.update(bytes)
            }
        }
        guard wrong == 0 else { throw mismatch(wrong) }
        guard lost == 0 else { throw incomplete(lost) }
        guard whole.finish() == archive else { throw otherArchive() }
        do throws(ZooError) {
            try data.synchronize()
        } catch {
            // The system reports lost bytes once: a second attempt would succeed without them.
            discard()
            throw error
        }
        try folder.commit(data, as: BlobDigest(archive), id, in: session.repository)
    }

    private func incomplete(_ count: Int) -> ZooError {
        ZooError(
            .uploadIncomplete,
            "\(count) of \(blocks.count) blocks of the archive are missing",
            remedy: "send the ranges that the upload's location lists, then end the upload again"
        )
    }

    private func mismatch(_ count: Int) -> ZooError {
        ZooError(
            .uploadBlocks,
            "\(count) of \(blocks.count) blocks do not match the block table",
            remedy:
                "send the ranges again that the upload's location lists; the other blocks remain"
        )
    }

    private func otherArchive() -> ZooError {
        discard()
        return ZooError(
            .uploadMismatch,
            "the blocks match the block table, and the archive does not have the digest \(archive)",
            remedy: "pack the release again"
        )
    }
}
