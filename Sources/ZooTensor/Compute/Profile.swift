// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// Where the computations of a pool spend their time, by kind of work.
///
/// Give one to ``ComputePool/init(threads:profile:)`` and read it when the computations are done. Each
/// thread counts for itself, without locks; a pool without a profile does not look at the clock.
public final class Profile: Sendable {
    /// What a model does.
    public enum Kind: String, CaseIterable, Sendable {
        /// Pixels to tokens.
        case patchEmbedding = "patch-embedding"
        /// Layer normalisation.
        case norm
        /// Linear maps to queries, keys and values, and from what was attended.
        case attentionLinear = "attention-linear"
        /// Queries times keys, attention weights times values.
        case attentionProducts = "attention-products"
        /// The softmax between these products.
        case softmax
        /// Bias and rotary positions of queries, keys and values, and their division into heads.
        case headSplit = "head-split"
        /// The two linear maps of an MLP.
        case mlpLinear = "mlp-linear"
        /// GELU with the bias before it.
        case gelu
        /// All other linear maps.
        case linear
        /// Copies of weights, rows, keys and values in the order products read them in.
        case packing
    }

    /// How often something was done, how long it took and how much it was.
    public struct Entry: Hashable, Sendable {
        /// Calls of kernels or small groups of them.
        public internal(set) var calls = 0
        /// Seconds, those of all threads added up.
        public internal(set) var seconds = 0.0
        /// Multiplications and additions of matrix products; 0 for anything else.
        public internal(set) var operations = 0
        /// Bytes read and written by anything else.
        public internal(set) var bytes = 0

        mutating func add(_ other: Entry) {
            calls += other.calls
            seconds += other.seconds
            operations += other.operations
            bytes += other.bytes
        }
    }

    /// What all computations so far have spent.
    public struct Totals: Hashable, Sendable {
        /// The entries, for every kind that occurred.
        public internal(set) var entries: [Kind: Entry] = [:]
        /// Wall time of the computations times the threads of their pools, in seconds.
        public internal(set) var threadSeconds = 0.0

        /// Seconds of threads that belong to no kind, waiting for each other included.
        public var otherSeconds: Double {
            max(0, threadSeconds - entries.values.reduce(0) { $0 + $1.seconds })
        }

        /// The share of ``threadSeconds`` that is not matrix products: 0 to 1.
        public var shareOutsideProducts: Double {
            let products = entries.values.reduce(0) { $0 + ($1.operations > 0 ? $1.seconds : 0) }
            return threadSeconds > 0 ? 1 - products / threadSeconds : 0
        }
    }

    private let state = Mutex(Totals())

    /// A profile of nothing yet.
    public init() {}

    /// What was spent so far.
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

/// What one thread has done in one computation.
struct Tally {
    private(set) var entries = Array(repeating: Profile.Entry(), count: Profile.Kind.allCases.count)
    /// Whether something is being measured; what it calls is part of it.
    var isMeasuring = false

    mutating func add(_ kind: Int, _ entry: Profile.Entry) { entries[kind].add(entry) }
}

extension Duration {
    var inSeconds: Double { self / .seconds(1) }
}
