// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTensor

extension AttentiveProbeParameters {
    /// The std of the initial weights.
    private static let std = 0.02

    /// Draws the parameters that a training starts from.
    ///
    /// Weights and the query are normal with std 0.02, in the order of the parts; the second weight of the MLP is divided by √2.
    /// Upstream truncates the normal distribution at −2 and 2, which are 100 stds. The linear layer is uniform from −1/√width to
    /// 1/√width. Biases are 0, and weights of norms 1. Outputs 0 and 1 of SplitMix64 with `seed` are the seeds of
    /// the normal and of the uniform numbers.
    ///
    /// Source: `AttentivePooler` of facebookresearch/vjepa2, and `torch.nn.Linear`.
    ///
    /// - Parameters:
    ///   - sizes: the sizes of the probe.
    ///   - seed: the seed.
    package init(random sizes: AttentiveProbeSizes, seed: UInt64) {
        self.init(zeros: sizes)
        var noise = SeededNoise(seed: SplitMix64.output(0, seed: seed))
        var bits = SplitMix64(seed: SplitMix64.output(1, seed: seed))
        let bound = 1 / Double(sizes.width).squareRoot()
        for part in Part.allCases {
            let matrix = self[part]
            switch part {
            case .norm1Weight, .norm2Weight: matrix.fill { 1 }
            case .linearWeight, .linearBias:
                matrix.fill { Float((2 * bits.uniform() - 1) * bound) }
            case .query, .queryWeight, .keyWeight, .valueWeight, .hiddenWeight:
                matrix.fill { Float(Self.std) * noise.normals(1)[0] }
            case .mlpWeight:
                let std = Float(Self.std / 2.0.squareRoot())
                matrix.fill { std * noise.normals(1)[0] }
            case .norm1Bias, .queryBias, .keyBias, .valueBias, .norm2Bias, .hiddenBias, .mlpBias:
                break
            }
        }
    }

    /// A copy of one tensor.
    fileprivate func tensor(_ part: Part) -> Tensor {
        let source = self[part]
        let copy = Matrix(rows: source.rows, columns: source.columns)
        copy.copy(from: source)
        let isVector = source.rows == 1 && part != .linearWeight
        return Tensor(
            shape: isVector ? [source.columns] : [source.rows, source.columns],
            buffer: copy.buffer
        )
    }

    fileprivate func linear(_ weight: Part, _ bias: Part) -> Linear {
        Linear(weight: WeightMatrix(StoredTensor(tensor(weight))), bias: tensor(bias))
    }

    fileprivate func norm(_ weight: Part, _ bias: Part) -> LayerNorm {
        LayerNorm(weight: tensor(weight), bias: tensor(bias), epsilon: Self.epsilon)
    }
}

extension AttentivePooler {
    /// A pooler with a copy of trained parameters.
    init(_ parameters: AttentiveProbeParameters) {
        let queries = Matrix(rows: 1, columns: parameters.sizes.width)
        queries.copy(from: parameters[.query])
        self.init(
            queries: queries,
            blocks: [],
            norm1: parameters.norm(.norm1Weight, .norm1Bias),
            query: parameters.linear(.queryWeight, .queryBias),
            key: parameters.linear(.keyWeight, .keyBias),
            value: parameters.linear(.valueWeight, .valueBias),
            norm2: parameters.norm(.norm2Weight, .norm2Bias),
            mlp: MLP(
                first: parameters.linear(.hiddenWeight, .hiddenBias),
                second: parameters.linear(.mlpWeight, .mlpBias)
            ),
            heads: parameters.sizes.heads
        )
    }
}

extension AttentiveProbe {
    /// A probe that runs a copy of trained parameters, as published ones are run.
    ///
    /// - Parameters:
    ///   - parameters: the parameters; their outputs are the logits of the classes.
    ///   - labels: the names of the classes; empty if they have none.
    package init(_ parameters: AttentiveProbeParameters, labels: [String] = []) {
        let sizes = parameters.sizes
        precondition(labels.isEmpty || labels.count == sizes.outputs)
        self.init(
            pooler: AttentivePooler(parameters),
            linear: parameters.linear(.linearWeight, .linearBias),
            classes: ProbeClasses(name: "logits", count: sizes.outputs, labels: labels)
        )
    }
}

extension Matrix {
    fileprivate func fill(_ next: () -> Float) {
        for row in 0..<rows {
            for column in 0..<columns { self[row, column] = next() }
        }
    }
}
