// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooFiles

/// A blob that arrives in pieces and is written to a file; its digest is computed on the way.
final class StreamedBlob: Sendable {
    private struct State {
        var size = 0
        var hasher = ContentDigest.Hasher()
    }

    private let file: OpenFile
    private let state = Mutex(State())

    init(in file: OpenFile) { self.file = file }

    func write(_ piece: RawSpan) throws(ZooError) {
        let start = state.withLock { state in
            defer { state.size += piece.byteCount }
            state.hasher.update(piece)
            return state.size
        }
        try file.write(piece, at: start)
    }

    /// Checks what was written, after the last piece.
    ///
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch`.
    func require(_ blob: Descriptor) throws(ZooError) {
        let found = state.withLock { ($0.size, $0.hasher.finish()) }
        guard found != (blob.size, blob.digest) else { return }
        throw ZooError(
            .registryMismatch,
            "the source sent \(found.0) bytes with the digest \(found.1) for the blob "
                + "\(blob.digest) of \(blob.size) bytes",
            remedy: "run the command again; if it fails again, tell the owner of the source"
        )
    }
}
