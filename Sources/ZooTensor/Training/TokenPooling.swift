// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Attention of fixed queries over normalised tokens of frozen features: sums of tokens with softmax weights.
///
/// A query of an attentive probe does not depend on the sample, so that the score of a token x̂ for a head,
/// (W x̂ + c) · a / √(head width), is x̂ · k / √(head width) with the key k = Wᵀ a, up to a number that is the same for all
/// tokens. Likewise the values of a head are summed after the weights of the tokens are known: Σ pᵢ (V x̂ᵢ + d) = V Σ pᵢ x̂ᵢ + d.
/// So no key and value of a token is computed. The norm x̂ = (x − mean) · inverse is not computed either: with
/// a key of mean 0 it is x̂ · k = inverse · x · k. Where a mean is n stds from 0, scores lose log10(n) of their seven
/// digits.
struct TokenPooling: Sendable {
    /// The number of keys: the heads of all probes on the same tokens.
    let keys: Int
    /// The number of tokens of a sample.
    let tokens: Int
    /// The factor of the scores.
    let scale: Float
    /// The epsilon of the norm.
    let epsilon: Float
    /// The weights of the tokens, [samples · keys, tokens].
    private let weights: Matrix
    /// The mean and the inverse std of each token, [samples, tokens].
    private let means: Matrix
    private let inverses: Matrix

    /// Creates memory for some samples.
    init(samples: Int, keys: Int, tokens: Int, scale: Float, epsilon: Float) {
        self.keys = keys
        self.tokens = tokens
        self.scale = scale
        self.epsilon = epsilon
        weights = Matrix(rows: samples * keys, columns: tokens)
        means = Matrix(rows: samples, columns: tokens)
        inverses = Matrix(rows: samples, columns: tokens)
    }

    /// Sums the normalised tokens of a sample with their weights, and keeps what the backward pass needs.
    ///
    /// - Parameters:
    ///   - features: [tokens, width], not yet normalised.
    ///   - sample: the index of the sample.
    ///   - directions: the keys, [keys, width], each of mean 0.
    ///   - sums: [keys, width].
    ///   - scratch: the memory of the calling worker.
    func pool(
        _ features: Matrix,
        sample: Int,
        keys directions: Matrix,
        into sums: Matrix,
        scratch: Scratch
    ) {
        let weights = weights.rows(sample * keys..<(sample + 1) * keys)
        let inverses = inverses.rows(sample..<sample + 1)
        features.statistics(
            means: means.rows(sample..<sample + 1),
            inverses: inverses,
            epsilon: epsilon
        )
        MatrixProduct.multiply(directions, transposed: features, into: weights)
        weights.scaleColumns(by: inverses)
        let totals = scratch.matrix(.sums, rows: 1, columns: keys)
        weights.softmaxNumerators(scale: scale, sums: totals)
        weights.divideRows(by: totals)
        sum(features, sample, weights, into: sums, scratch)
    }

    /// Computes the gradient of the keys.
    ///
    /// - Parameters:
    ///   - features: as for ``pool(_:sample:keys:into:scratch:)``, which was called before.
    ///   - sample: the index of the sample.
    ///   - gradient: that of the sums, [keys, width], less the mean of each row.
    ///   - output: the gradient of the keys, [keys, width].
    ///   - scratch: the memory of the calling worker.
    func keyGradient(
        _ features: Matrix,
        sample: Int,
        gradient: Matrix,
        into output: Matrix,
        scratch: Scratch
    ) {
        let scores = scratch.matrix(.projected, rows: keys, columns: tokens)
        MatrixProduct.multiply(gradient, transposed: features, into: scores)
        scores.scaleColumns(by: inverses.rows(sample..<sample + 1))
        scores.softmaxGradient(
            weights: weights.rows(sample * keys..<(sample + 1) * keys),
            scale: scale
        )
        sum(features, sample, scores, into: output, scratch)
    }

    /// Sums normalised tokens with factors [keys, tokens].
    private func sum(
        _ features: Matrix,
        _ sample: Int,
        _ factors: Matrix,
        into sums: Matrix,
        _ scratch: Scratch
    ) {
        let scaled = scratch.matrix(.scores, rows: keys, columns: tokens)
        scaled.copy(from: factors)
        scaled.scaleColumns(by: inverses.rows(sample..<sample + 1))
        MatrixProduct.multiply(scaled, features, into: sums)
        sums.subtractProducts(scaled, means.rows(sample..<sample + 1))
    }
}
