// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// A thread-safe queue of work items.
final class WorkQueue<Piece: Sendable>: Sendable {
    private let pieces: Mutex<ArraySlice<Piece>>

    init(_ pieces: [Piece]) { self.pieces = Mutex(pieces[...]) }

    /// Removes and returns the next item; nil when the queue is empty.
    func next() -> Piece? { pieces.withLock { $0.popFirst() } }
}
