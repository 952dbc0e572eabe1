// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// An attentive probe of V-JEPA or V-JEPA 2, which classifies tokens of a frozen encoder.
///
/// Equivalent to `AttentiveClassifier` of facebookresearch/jepa and facebookresearch/vjepa2 in
/// float32. Probes for anticipation (EPIC-KITCHENS-100) have three queries and three heads.
public struct AttentiveProbe: Sendable {
    /// A linear layer from one pooled query to classes.
    private struct Head: Sendable {
        let name: String
        let query: Int
        let map: Linear
    }

    /// The number of elements of a token's features.
    public let width: Int
    /// The classes of each head: one set, or verbs, nouns and actions.
    public let classes: [ProbeClasses]
    /// The encoder blocks, counted from 0, whose outputs it reads after the final norm,
    /// concatenated as tokens; empty for only the last block.
    public let backboneLevels: [Int]
    private let pooler: AttentivePooler
    private let heads: [Head]

    /// Loads a probe from a folder that `ami-zoo convert` wrote.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) {
        let configuration = try ProbeConfiguration(probe: ModelFolder(path).configuration)
        let weights = WeightScope(try Checkpoint(opening: path))
        try self.init(configuration, weights)
        try weights.requireComplete()
    }

    /// Creates a probe from its weights.
    init(_ configuration: ProbeConfiguration, _ weights: WeightScope) throws(ZooError) {
        width = configuration.width
        classes = configuration.classes.map(\.classes)
        backboneLevels = configuration.backboneLevels
        if configuration.isFirst {
            let scope = weights.scope("classifier")
            pooler = try scope.scope("pooler").vjepaPooler(configuration)
            let map = try scope.linear("linear", from: width, to: classes[0].count)
            heads = [Head(name: classes[0].name, query: 0, map: map)]
        } else {
            pooler = try weights.scope("pooler").vjepa2Pooler(configuration)
            var heads: [Head] = []
            for (query, head) in configuration.classes.enumerated() {
                heads.append(
                    Head(
                        name: head.classes.name,
                        query: query,
                        map: try weights.linear(head.scope, from: width, to: head.classes.count)
                    )
                )
            }
            self.heads = heads
        }
    }

    /// Creates a probe with one head that reads the last block of a backbone.
    init(pooler: AttentivePooler, linear: Linear, classes: ProbeClasses) {
        width = linear.weight.inputs
        self.classes = [classes]
        backboneLevels = []
        self.pooler = pooler
        heads = [Head(name: classes.name, query: 0, map: linear)]
    }

    /// Whether the probe anticipates actions after a clip.
    ///
    /// Such a probe also reads predicted tokens, and its classes are not mutually exclusive.
    public var isAnticipation: Bool { classes.count > 1 }

    /// Computes the logits of the classes.
    ///
    /// - Parameters:
    ///   - tokens: [batch, tokens, width]: the concatenated tokens of all clips of one view.
    ///   - pool: the threads to compute on.
    /// - Returns: logits [batch, classes] with the key `logits`, or the keys `verb`, `noun` and
    ///   `action`.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func logits(
        of tokens: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> [String: Tensor] {
        guard tokens.shape.rank == 3, tokens.shape[2] == width, tokens.shape.elementCount > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "the tokens have the shape \(tokens.shape), and must be [batch, tokens, \(width)]"
            )
        }
        let batch = tokens.shape[0]
        return try await pool.run { session in
            let pooled = try pooler.pool(tokens, session: session)
            let queries = pooled.rows / batch
            var logits: [String: Tensor] = [:]
            for head in heads {
                let result = Matrix(rows: batch, columns: head.map.weight.outputs)
                for sample in 0..<batch {
                    let row = sample * queries + head.query
                    head.map.apply(
                        to: pooled.rows(row..<row + 1),
                        into: result.rows(sample..<sample + 1),
                        scratch: Scratch()
                    )
                }
                let found = Tensor(shape: [batch, result.columns], buffer: result.buffer)
                try found.requireFinite("logits")
                logits[head.name] = found
            }
            return logits
        }
    }
}

/// The classes of a head of a probe.
public struct ProbeClasses: Hashable, Sendable {
    /// The name in results: `logits`, `verb`, `noun` or `action`.
    public let name: String
    /// The number of classes.
    public let count: Int
    /// The names of the classes in the order of the logits (`id2label`); empty if they are not
    /// known.
    public let labels: [String]
}
