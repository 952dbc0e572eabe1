// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore

/// The registry and its mirrors, as the streams of one pull use them: at once, each by its score.
///
/// The score of a source is what it delivered of late, in bytes per second over all streams. A stream
/// goes where its share is largest; a source without a score gets one stream, to learn it. A source that
/// fails or sends wrong bytes is not used again by this pull.
final class SourcePool: Sendable {
    /// A stream from a source.
    struct Lease: Sendable {
        /// The source.
        let source: any RegistrySource
        fileprivate let index: Int
        fileprivate let start: ContinuousClock.Instant
        /// The streams of the source at the start, with this one.
        fileprivate let streams: Int
    }

    /// The error for a source that sends whole resources only, while no other source is left.
    struct WholeOnly: Error {
        /// The stream.
        let lease: Lease
    }

    private struct Entry {
        let source: any RegistrySource
        var score: Double?
        var streams = 0
        /// Why the source is not used any more.
        var failure: ZooError?
        var sendsRanges = true
    }

    private struct State {
        var entries: [Entry]
    }

    private let registry: Registry
    private let state: Mutex<State>

    /// Creates a pool whose only source is the registry itself.
    init(_ registry: Registry) {
        self.registry = registry
        state = Mutex(State(entries: [Entry(source: registry.source)]))
    }

    /// Adds the mirrors of the registry, once.
    ///
    /// - Returns: whether there are new sources.
    @discardableResult
    func addMirrors() async -> Bool {
        guard state.withLock({ $0.entries.count }) == 1 else { return false }
        let mirrors = await registry.mirrors()
        return state.withLock { state in
            guard state.entries.count == 1 else { return false }
            state.entries += mirrors.map { Entry(source: $0) }
            return !mirrors.isEmpty
        }
    }

    /// Starts a stream.
    ///
    /// - Throws: ``WholeOnly``, or the failure of the registry itself when every source has failed.
    func lease() async throws -> Lease {
        while true {
            if let lease = state.withLock({ Self.choose(&$0) { $0.sendsRanges } }) { return lease }
            if await addMirrors() { continue }
            if let lease = state.withLock({ Self.choose(&$0) { !$0.sendsRanges } }) {
                throw WholeOnly(lease: lease)
            }
            let failures = state.withLock { $0.entries.compactMap(\.failure) }
            throw failures.first ?? ZooError(.blobMissing, "no source is left")
        }
    }

    private static func choose(_ state: inout State, _ isUsable: (Entry) -> Bool) -> Lease? {
        let usable = state.entries.indices.filter {
            state.entries[$0].failure == nil && isUsable(state.entries[$0])
        }
        func share(_ index: Int) -> Double {
            let entry = state.entries[index]
            // One stream measures a source; until then, further streams prefer any other.
            guard let score = entry.score else { return entry.streams == 0 ? .infinity : 0 }
            return score / Double(entry.streams + 1)
        }
        guard
            let best = usable.max(by: {
                (share($0), -state.entries[$0].streams, -$0)
                    < (share($1), -state.entries[$1].streams, -$1)
            })
        else { return nil }
        state.entries[best].streams += 1
        return Lease(
            source: state.entries[best].source,
            index: best,
            start: .now,
            streams: state.entries[best].streams
        )
    }

    /// Ends a stream.
    ///
    /// - Parameters:
    ///   - lease: the stream.
    ///   - bytes: what it has delivered; nil when it was interrupted, which says nothing of the source.
    func end(_ lease: Lease, delivered bytes: Int?) {
        let seconds = max(1e-6, (ContinuousClock.now - lease.start) / .seconds(1))
        state.withLock { state in
            let streams = state.entries[lease.index].streams
            state.entries[lease.index].streams -= 1
            guard let bytes else { return }
            let rate = Double(bytes) / seconds * Double(lease.streams + streams) / 2
            let score = state.entries[lease.index].score ?? rate
            state.entries[lease.index].score = (score + rate) / 2
        }
    }

    /// Ends a stream whose source failed, and uses the source no more.
    func exclude(_ lease: Lease, for failure: ZooError) {
        state.withLock { state in
            state.entries[lease.index].streams -= 1
            state.entries[lease.index].failure = failure
        }
    }

    /// Ends a stream whose source sends whole resources only.
    func excludeFromRanges(_ lease: Lease) {
        state.withLock { state in
            state.entries[lease.index].streams -= 1
            state.entries[lease.index].sendsRanges = false
        }
    }
}
