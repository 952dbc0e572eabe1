// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// Pieces of work that several workers take from, each piece once.
final class WorkQueue<Piece: Sendable>: Sendable {
    private let pieces: Mutex<ArraySlice<Piece>>

    init(_ pieces: [Piece]) { self.pieces = Mutex(pieces[...]) }

    /// The next piece; nil when there are none left.
    func next() -> Piece? { pieces.withLock { $0.popFirst() } }
}
