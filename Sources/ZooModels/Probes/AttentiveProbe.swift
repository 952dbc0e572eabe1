// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// An attentive probe of V-JEPA or V-JEPA 2: from the tokens of a frozen encoder to classes.
///
/// Computes what `AttentiveClassifier` of facebookresearch/jepa and facebookresearch/vjepa2 computes in
/// float32, and for anticipation (EPIC-KITCHENS-100) the variant with three queries and three heads.
public struct AttentiveProbe: Sendable {
    /// One linear map from a summary of the tokens to classes.
    private struct Head: Sendable {
        let name: String
        let query: Int
        let map: Linear
    }

    /// The elements of a token's features.
    public let width: Int
    /// The classes of each head: one set, or verbs, nouns and actions.
    public let classes: [ProbeClasses]
    /// The blocks of the encoder, counted from 0, whose outputs it reads through the final norm, one
    /// after the other; empty for the last alone.
    public let backboneLevels: [Int]
    private let pooler: AttentivePooler
    private let heads: [Head]

    /// Loads a folder that `ami-zoo convert` wrote for a probe.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) {
        let configuration = try ProbeConfiguration(probe: ModelFolder(path).configuration)
        let weights = WeightScope(try Checkpoint(opening: path))
        try self.init(configuration, weights)
        try weights.requireComplete()
    }

    /// Takes the weights of a probe.
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

    /// Whether it anticipates what comes after a clip: then it reads predicted tokens too, and its
    /// classes do not exclude each other.
    public var isAnticipation: Bool { classes.count > 1 }

    /// Scores classes.
    ///
    /// - Parameters:
    ///   - tokens: [batch, tokens, width]: of one view, tokens of all its clips one after the other.
    ///   - pool: the threads to compute on.
    /// - Returns: logits [batch, classes]: under `logits`, or under `verb`, `noun` and `action`.
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

/// Classes that a probe tells apart.
public struct ProbeClasses: Hashable, Sendable {
    /// The name in results: `logits`, `verb`, `noun` or `action`.
    public let name: String
    /// How many there are.
    public let count: Int
    /// Their names in the order of the logits (`id2label`); empty when they are not known.
    public let labels: [String]
}
