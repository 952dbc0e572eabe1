// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Attentive probes of equal sizes on the same tokens, which are trained together.
///
/// A probe is q + XA(q, norm1(x)), then y + MLP(norm2(y)), then a linear layer; see ``AttentiveProbeParameters``. Every
/// element is computed in the same order for any number of threads.
///
/// Source: `AttentiveClassifier` of facebookresearch/jepa and, with one block, of facebookresearch/vjepa2.
package struct AttentiveProbes: Sendable {
    /// The largest number of samples that are computed together, which bounds the memory.
    package static let capacity = 64

    /// The sizes of each probe.
    package let sizes: AttentiveProbeSizes
    /// The parameters of each probe.
    package let parameters: [AttentiveProbeParameters]
    /// The derivatives of the sum of the losses of samples, for each probe.
    package let gradients: [AttentiveProbeParameters]
    private let moments: [(first: AttentiveProbeParameters, second: AttentiveProbeParameters)]
    let pooling: TokenPooling
    let activations: ProbeActivations

    /// Creates probes with equal parameters, and memory for their training.
    ///
    /// - Parameters:
    ///   - initial: the parameters, which are copied.
    ///   - count: the number of probes.
    ///   - tokens: the number of tokens of a sample.
    package init(_ initial: AttentiveProbeParameters, count: Int, tokens: Int) {
        sizes = initial.sizes
        parameters = (0..<count).map { _ in
            let copy = AttentiveProbeParameters(zeros: initial.sizes)
            copy.vector.copy(from: initial.vector)
            return copy
        }
        gradients = (0..<count).map { _ in AttentiveProbeParameters(zeros: initial.sizes) }
        moments = (0..<count).map { _ in
            (
                AttentiveProbeParameters(zeros: initial.sizes),
                AttentiveProbeParameters(zeros: initial.sizes)
            )
        }
        pooling = TokenPooling(
            samples: Self.capacity,
            keys: count * initial.sizes.heads,
            tokens: tokens,
            scale: 1 / Float(initial.sizes.headWidth).squareRoot(),
            epsilon: AttentiveProbeParameters.epsilon
        )
        activations = ProbeActivations(sizes, probes: count)
    }

    /// Computes the outputs of all probes.
    ///
    /// - Parameters:
    ///   - features: the tokens of at most ``capacity`` samples, each [tokens, width].
    ///   - session: the computation.
    /// - Returns: the outputs of each probe, [samples, outputs], valid until the next call.
    package func outputs(of features: [Matrix], in session: ComputeSession) -> [Matrix] {
        forward(features, session)
        return activations.outputs.map { $0.rows(0..<features.count) }
    }

    /// Adds the gradients of some samples.
    ///
    /// - Parameters:
    ///   - features: as for ``outputs(of:in:)``.
    ///   - targets: those of the same samples.
    ///   - session: the computation.
    /// - Returns: the sum of the losses of the samples, for each probe.
    package func addGradients(
        of features: [Matrix],
        targets: ProbeTargets,
        in session: ComputeSession
    ) -> [Double] {
        precondition(targets.count == features.count)
        forward(features, session)
        let losses = DoubleMatrix(rows: parameters.count, columns: 1)
        session.forEach(parameters.count) { probe, _ in
            losses[probe, 0] = targets.replace(
                outputs: activations.outputs[probe].rows(0..<features.count)
            )
        }
        backward(features, session)
        return (0..<parameters.count).map { losses[$0, 0] }
    }

    /// Changes the parameters of each probe by a step, and sets the gradients to 0.
    package func step(_ steps: [AdamW], in session: ComputeSession) {
        precondition(steps.count == parameters.count)
        let (count, width) = (parameters[0].vector.columns, 1 << 15)
        let tiles = (count + width - 1) / width
        session.forEach(parameters.count * tiles) { index, _ in
            let (probe, tile) = (index / tiles, index % tiles)
            let range = tile * width..<min((tile + 1) * width, count)
            steps[probe].apply(
                to: parameters[probe].vector.columns(range),
                gradient: gradients[probe].vector.columns(range),
                first: moments[probe].first.vector.columns(range),
                second: moments[probe].second.vector.columns(range)
            )
        }
    }

    // MARK: Forward

    /// Divides the elements of rows of all probes into tiles.
    func forEachTile(
        _ columns: Int,
        _ session: ComputeSession,
        _ body: @Sendable (_ probe: Int, _ columns: Range<Int>) -> Void
    ) {
        let width = 64
        let tiles = (columns + width - 1) / width
        session.forEach(parameters.count * tiles) { index, _ in
            let tile = index % tiles
            body(index / tiles, tile * width..<min((tile + 1) * width, columns))
        }
    }

    /// Calls `body` for each head of each probe, with its columns of a row and its index among the keys.
    func forEachHead(
        _ session: ComputeSession,
        _ body: @Sendable (_ probe: Int, _ columns: Range<Int>, _ key: Int, Scratch) -> Void
    ) {
        let (heads, width) = (sizes.heads, sizes.headWidth)
        session.forEach(parameters.count * heads) { index, scratch in
            let head = index % heads
            body(index / heads, head * width..<(head + 1) * width, index, scratch)
        }
    }

    private func forward(_ features: [Matrix], _ session: ComputeSession) {
        precondition(features.count <= Self.capacity)
        let (count, state) = (features.count, activations)
        // The keys are those of TokenPooling with the weight of norm1; its bias adds the same to the scores of all tokens.
        forEachHead(session) { probe, columns, key, _ in
            let own = parameters[probe]
            let asked = state.asked.rows(probe..<probe + 1).columns(columns)
            asked.copy(from: own[.queryBias].columns(columns))
            MatrixProduct.multiply(
                own[.query],
                transposed: own[.queryWeight].rows(columns),
                into: asked,
                accumulating: true
            )
            let direction = state.directions.rows(key..<key + 1)
            MatrixProduct.multiply(asked, own[.keyWeight].rows(columns), into: direction)
            let centred = state.keys.rows(key..<key + 1)
            centred.copy(from: direction)
            centred.scaleColumns(by: own[.norm1Weight])
            centred.centreRows()
        }
        session.forEach(count) { sample, scratch in
            let sums = state.sums(ofSample: sample)
            pooling.pool(
                features[sample],
                sample: sample,
                keys: state.keys,
                into: sums,
                scratch: scratch
            )
            let values = state.values(ofSample: sample)
            values.copy(from: sums)
            for (probe, own) in parameters.enumerated() {
                let heads = values.rows(probe * sizes.heads..<(probe + 1) * sizes.heads)
                heads.scaleColumns(by: own[.norm1Weight])
                heads.add(row: own[.norm1Bias])
            }
        }
        forEachHead(session) { probe, columns, key, _ in
            let own = parameters[probe]
            let pooled = state.pooled[probe].rows(0..<count).columns(columns)
            MatrixProduct.multiply(
                state.values(ofKey: key, samples: count),
                transposed: own[.valueWeight].rows(columns),
                into: pooled
            )
            pooled.add(row: own[.valueBias].columns(columns))
            pooled.add(row: own[.query].columns(columns))
        }
        session.forEach(parameters.count) { probe, _ in
            let own = parameters[probe]
            state.normalised[probe].rows(0..<count).layerNorm(
                of: state.pooled[probe].rows(0..<count),
                weight: own[.norm2Weight],
                bias: own[.norm2Bias],
                epsilon: AttentiveProbeParameters.epsilon
            )
        }
        forEachTile(sizes.hidden, session) { probe, columns in
            let own = parameters[probe]
            let hidden = state.hidden[probe].rows(0..<count).columns(columns)
            MatrixProduct.multiply(
                state.normalised[probe].rows(0..<count),
                transposed: own[.hiddenWeight].rows(columns),
                into: hidden
            )
            hidden.add(row: own[.hiddenBias].columns(columns))
            let active = state.active[probe].rows(0..<count).columns(columns)
            active.copy(from: hidden)
            active.biasGELU(nil)
        }
        forEachTile(sizes.width, session) { probe, columns in
            let own = parameters[probe]
            let result = state.results[probe].rows(0..<count).columns(columns)
            result.copy(from: state.pooled[probe].rows(0..<count).columns(columns))
            result.add(row: own[.mlpBias].columns(columns))
            MatrixProduct.multiply(
                state.active[probe].rows(0..<count),
                transposed: own[.mlpWeight].rows(columns),
                into: result,
                accumulating: true
            )
        }
        forEachTile(sizes.outputs, session) { probe, columns in
            let own = parameters[probe]
            let outputs = state.outputs[probe].rows(0..<count).columns(columns)
            MatrixProduct.multiply(
                state.results[probe].rows(0..<count),
                transposed: own[.linearWeight].rows(columns),
                into: outputs
            )
            outputs.add(row: own[.linearBias].columns(columns))
        }
    }
}
