// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// The time that the computations of a pool take, by kind of work.
///
/// Pass one to ``ComputePool/init(threads:profile:)`` and read it after the computations. Each
/// thread counts separately, without locks; a pool without a profile does not read the clock.
public final class Profile: Sendable {
    /// A kind of work.
    public enum Kind: String, CaseIterable, Sendable {
        /// Pixels to tokens.
        case patchEmbedding = "patch-embedding"
        /// Layer normalisation.
        case norm
        /// The query, key, value and output projections of attention.
        case attentionLinear = "attention-linear"
        /// The products of queries and keys, and of attention weights and values.
        case attentionProducts = "attention-products"
        /// The softmax between these products.
        case softmax
        /// Bias and rotary positions of queries, keys and values, and their division into heads.
        case headSplit = "head-split"
        /// The two linear layers of an MLP.
        case mlpLinear = "mlp-linear"
        /// GELU with the bias before it.
        case gelu
        /// All other linear layers.
        case linear
        /// Packing of weights, rows, keys and values for matrix products.
        case packing
    }

    /// The calls, time and amount of one kind of work.
    public struct Entry: Hashable, Sendable {
        /// The number of calls of kernels or small groups of kernels.
        public internal(set) var calls = 0
        /// The time in seconds, summed over all threads.
        public internal(set) var seconds = 0.0
        /// The multiplications and additions of matrix products; 0 for other kinds.
        public internal(set) var operations = 0
        /// The bytes read and written by other kinds.
        public internal(set) var bytes = 0

        mutating func add(_ other: Entry) {
            calls += other.calls
            seconds += other.seconds
            operations += other.operations
            bytes += other.bytes
        }
    }

    /// The totals of all computations so far.
    public struct Totals: Hashable, Sendable {
        /// The entries, for every kind that occurred.
        public internal(set) var entries: [Kind: Entry] = [:]
        /// Wall time of the computations times the threads of their pools, in seconds.
        public internal(set) var threadSeconds = 0.0

        /// The thread time in seconds that belongs to no kind, including waiting.
        public var otherSeconds: Double {
            max(0, threadSeconds - entries.values.reduce(0) { $0 + $1.seconds })
        }

        /// The share of ``threadSeconds`` outside matrix products, 0 to 1 inclusive.
        public var shareOutsideProducts: Double {
            let products = entries.values.reduce(0) { $0 + ($1.operations > 0 ? $1.seconds : 0) }
            return threadSeconds > 0 ? 1 - products / threadSeconds : 0
        }
    }

    private let state = Mutex(Totals())

    /// Creates an empty profile.
    public init() {}

    /// The totals so far.
    public var totals: Totals { state.withLock { $0 } }

    func add(_ tallies: [Tally], threadSeconds: Double) {
        state.withLock { totals in
            totals.threadSeconds += threadSeconds
            for tally in tallies {
                for (kind, entry) in zip(Kind.allCases, tally.entries) where entry.calls > 0 {
                    totals.entries[kind, default: Entry()].add(entry)
                }
            }
        }
    }
}

/// The work of one thread in one computation.
struct Tally {
    private(set) var entries = Array(repeating: Profile.Entry(), count: Profile.Kind.allCases.count)
    /// Whether a measurement is running; nested measurements count as part of it.
    var isMeasuring = false

    mutating func add(_ kind: Int, _ entry: Profile.Entry) { entries[kind].add(entry) }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}
