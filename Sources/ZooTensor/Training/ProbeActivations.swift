// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What the forward pass of probes keeps for their backward pass, in memory that all steps reuse.
///
/// A key is a head of a probe; the heads of a probe follow one another.
struct ProbeActivations: Sendable {
    private let width: Int
    /// The queries of attention, W q + b, [probes, width].
    let asked: Matrix
    /// The product of each key weight and its query, [keys, width].
    let directions: Matrix
    /// The directions times the weight of norm1, less their mean, [keys, width].
    let keys: Matrix
    /// The sums of normalised tokens, then the gradients of the keys, [samples, keys · width].
    private let sums: Matrix
    /// The sums after the weight and bias of norm1, then the gradients of the sums, [samples, keys · width].
    private let values: Matrix
    /// The result of attention added to the query, [samples, width] for each probe.
    let pooled: [Matrix]
    /// norm2 of it, [samples, width].
    let normalised: [Matrix]
    /// The hidden elements of the MLP before GELU, [samples, hidden].
    let hidden: [Matrix]
    /// The same after GELU.
    let active: [Matrix]
    /// The input of the linear layer, [samples, width].
    let results: [Matrix]
    /// The outputs, then their gradients, [samples, outputs].
    let outputs: [Matrix]
    /// The gradients of the results, of the pooled elements and of the hidden ones, as those.
    let resultGradients: [Matrix]
    let pooledGradients: [Matrix]
    let hiddenGradients: [Matrix]
    /// Ones, [samples, 1]: the product with it sums rows.
    let ones: Matrix

    init(_ sizes: AttentiveProbeSizes, probes: Int) {
        let samples = AttentiveProbes.capacity
        func each(_ columns: Int) -> [Matrix] {
            (0..<probes).map { _ in Matrix(rows: samples, columns: columns) }
        }
        let keys = probes * sizes.heads
        width = sizes.width
        asked = Matrix(rows: probes, columns: sizes.width)
        directions = Matrix(rows: keys, columns: sizes.width)
        self.keys = Matrix(rows: keys, columns: sizes.width)
        sums = Matrix(rows: samples, columns: keys * sizes.width)
        values = Matrix(rows: samples, columns: keys * sizes.width)
        (pooled, normalised, results) = (each(sizes.width), each(sizes.width), each(sizes.width))
        (hidden, active) = (each(sizes.hidden), each(sizes.hidden))
        outputs = each(sizes.outputs)
        (resultGradients, pooledGradients) = (each(sizes.width), each(sizes.width))
        hiddenGradients = each(sizes.hidden)
        ones = Matrix(rows: samples, columns: 1)
        for sample in 0..<samples { ones[sample, 0] = 1 }
    }

    /// The sums of one sample, [keys, width].
    func sums(ofSample sample: Int) -> Matrix { Self.row(of: sums, sample, width) }

    /// The sums of one key, [samples, width].
    func sums(ofKey key: Int, samples: Int) -> Matrix {
        sums.rows(0..<samples).columns(key * width..<(key + 1) * width)
    }

    /// The values of one sample, [keys, width].
    func values(ofSample sample: Int) -> Matrix { Self.row(of: values, sample, width) }

    /// The values of one key, [samples, width].
    func values(ofKey key: Int, samples: Int) -> Matrix {
        values.rows(0..<samples).columns(key * width..<(key + 1) * width)
    }

    private static func row(of matrix: Matrix, _ sample: Int, _ width: Int) -> Matrix {
        matrix.rows(sample..<sample + 1)
            .reshaped(rows: matrix.columns / width, columns: width)
    }
}
