// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing

@testable import ZooTensor

/// Gradients against finite differences of the same functions in float64, which are written here again.
@Suite struct GradientTests {
    /// Central differences of a function of float64 numbers.
    private static func differences(
        at point: [Double],
        _ function: ([Double]) -> Double
    ) -> [Double] {
        point.indices.map { index in
            func value(_ change: Double) -> Double {
                var moved = point
                moved[index] += change
                return function(moved)
            }
            let step = 1e-4
            // Errors of the order of step⁴.
            return (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step)))
                / (12 * step)
        }
    }

    private static func expect(
        _ found: [Double],
        _ wanted: [Double],
        _ what: String,
        tolerance: Double = 1e-5
    ) {
        let size = max(wanted.reduce(0) { max($0, abs($1)) }, 1e-3)
        #expect(found.count == wanted.count)
        for (index, (mine, theirs)) in zip(found, wanted).enumerated() {
            #expect(abs(mine - theirs) <= tolerance * size, "\(what), element \(index)")
        }
    }

    private static func numbers(_ matrix: Matrix) -> [Double] {
        (0..<matrix.rows).flatMap { row in
            (0..<matrix.columns).map { Double(matrix[row, $0]) }
        }
    }

    private static func copy(_ matrix: Matrix) -> Matrix {
        let copy = Matrix(rows: matrix.rows, columns: matrix.columns + 3)
            .columns(2..<matrix.columns + 2)
        copy.copy(from: matrix)
        return copy
    }

    static func gelu(_ x: Double) -> Double { x / 2 * erfc(-x / 2.0.squareRoot()) }

    static func softmax(_ scores: [Double]) -> [Double] {
        let greatest = scores.max() ?? 0
        let powers = scores.map { exp($0 - greatest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }

    static func norm(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let inverse = 1 / (variance + Double(AttentiveProbeParameters.epsilon)).squareRoot()
        return x.indices.map { (x[$0] - mean) * inverse * weight[$0] + bias[$0] }
    }

    @Test(arguments: KernelPath.runnable)
    func theGradientOfGELUIsItsSlope(path: KernelPath) {
        let x = KernelTests.matrix(rows: 5, columns: 61, limit: 6, seed: 1)
        x[0, 0] = 0
        x[1, 1] = 40
        x[2, 2] = -40
        let gradient = KernelTests.matrix(rows: 5, columns: 61, limit: 2, seed: 2)
        let found = Self.copy(gradient)
        found.geluGradient(input: x, path: path)
        let slopes = Self.numbers(x).map { Self.differences(at: [$0]) { Self.gelu($0[0]) }[0] }
        Self.expect(Self.numbers(found), zip(slopes, Self.numbers(gradient)).map(*), "GELU")
    }

    @Test(arguments: KernelPath.runnable)
    func theGradientsOfLayerNormAreThoseOfItsDefinition(path: KernelPath) {
        let (rows, columns) = (3, 37)
        let input = KernelTests.matrix(rows: rows, columns: columns, limit: 3, seed: 1)
        let weight = KernelTests.matrix(rows: 1, columns: columns, limit: 2, seed: 2)
        let incoming = KernelTests.matrix(rows: rows, columns: columns, limit: 2, seed: 3)
        let (first, second) = (Matrix(rows: 1, columns: columns), Matrix(rows: 1, columns: columns))
        // Gradients are added to what is there.
        for column in 0..<columns { (first[0, column], second[0, column]) = (1, -1) }
        let found = Self.copy(incoming)
        found.layerNormGradient(
            input: input,
            weight: weight,
            epsilon: AttentiveProbeParameters.epsilon,
            weightGradient: first,
            biasGradient: second,
            path: path
        )
        let factors = Self.numbers(incoming)
        let point = Self.numbers(input) + Self.numbers(weight) + Array(repeating: 0, count: columns)
        let wanted = Self.differences(at: point) { point in
            let size = rows * columns
            let (weight, bias) = (
                Array(point[size..<size + columns]), Array(point[(size + columns)...])
            )
            return (0..<rows).reduce(0) { sum, row in
                let own = row * columns..<(row + 1) * columns
                let output = Self.norm(Array(point[own]), weight, bias)
                return sum + zip(output, factors[own]).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
        let size = rows * columns
        Self.expect(Self.numbers(found), Array(wanted[..<size]), "input")
        Self.expect(
            Self.numbers(first).map { $0 - 1 },
            Array(wanted[size..<size + columns]),
            "weight"
        )
        Self.expect(Self.numbers(second).map { $0 + 1 }, Array(wanted[(size + columns)...]), "bias")
    }

    @Test(arguments: KernelPath.runnable)
    func theGradientOfSoftmaxIsThatOfItsDefinition(path: KernelPath) {
        let (rows, columns, scale) = (4, 43, 0.3)
        let scores = KernelTests.matrix(rows: rows, columns: columns, limit: 9, seed: 4)
        let incoming = KernelTests.matrix(rows: rows, columns: columns, limit: 2, seed: 5)
        let weights = Self.copy(scores)
        let sums = Matrix(rows: 1, columns: rows)
        weights.softmaxNumerators(scale: Float(scale), sums: sums)
        weights.divideRows(by: sums)
        let found = Self.copy(incoming)
        found.softmaxGradient(weights: weights, scale: Float(scale), path: path)
        let factors = Self.numbers(incoming)
        let wanted = Self.differences(at: Self.numbers(scores)) { point in
            (0..<rows).reduce(0) { sum, row in
                let own = row * columns..<(row + 1) * columns
                let output = Self.softmax(point[own].map { scale * $0 })
                return sum + zip(output, factors[own]).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
        Self.expect(Self.numbers(found), wanted, "scores")
    }

    /// Sums and their gradient by the keys, for tokens whose mean is not 0.
    @Test(arguments: KernelPath.runnable)
    func theGradientOfPooledTokensIsThatOfItsDefinition(path: KernelPath) {
        KernelPath.limit(to: path)
        defer { KernelPath.limit(to: nil) }
        let (keys, tokens, width, scale) = (3, 11, 8, 0.7)
        let pooling = TokenPooling(
            samples: 2,
            keys: keys,
            tokens: tokens,
            scale: Float(scale),
            epsilon: AttentiveProbeParameters.epsilon
        )
        let features = KernelTests.matrix(rows: tokens, columns: width, limit: 2, seed: 6)
        for token in 0..<tokens {
            for column in 0..<width { features[token, column] += 1.5 }
        }
        let directions = KernelTests.matrix(rows: keys, columns: width, limit: 1, seed: 7)
        directions.centreRows()
        let incoming = KernelTests.matrix(rows: keys, columns: width, limit: 2, seed: 8)
        let factors = Self.numbers(incoming)
        let normalised = (0..<tokens).map { token in
            Self.norm(
                (0..<width).map { Double(features[token, $0]) },
                Array(repeating: 1, count: width),
                Array(repeating: 0, count: width)
            )
        }
        func sums(_ point: [Double]) -> [Double] {
            (0..<keys).flatMap { key in
                let weights = Self.softmax(
                    normalised.map { token in
                        scale * (0..<width).reduce(0) { $0 + token[$1] * point[key * width + $1] }
                    }
                )
                return (0..<width).map { column in
                    zip(weights, normalised).reduce(0) { $0 + $1.0 * $1.1[column] }
                }
            }
        }
        let (found, gradient) = (
            Matrix(rows: keys, columns: width), Matrix(rows: keys, columns: width)
        )
        let scratch = Scratch()
        pooling.pool(features, sample: 1, keys: directions, into: found, scratch: scratch)
        let point = Self.numbers(directions)
        Self.expect(Self.numbers(found), sums(point), "sums")
        incoming.centreRows()
        pooling.keyGradient(
            features,
            sample: 1,
            gradient: incoming,
            into: gradient,
            scratch: scratch
        )
        let wanted = Self.differences(at: point) { point in
            zip(sums(point), factors).reduce(0) { $0 + $1.0 * $1.1 }
        }
        Self.expect(Self.numbers(gradient), wanted, "keys")
    }

    /// All parameters of two probes, whose parameters differ after a step.
    @Test(arguments: [true, false])
    func theGradientsOfAProbeAreThoseOfItsDefinition(isClassification: Bool) async throws {
        let (width, tokens) = (4, 5)
        let sizes = AttentiveProbeSizes(width: width, heads: 2, outputs: isClassification ? 3 : 1)
        let features = (0..<2).map {
            KernelTests.matrix(rows: tokens, columns: width, limit: 2, seed: 20 + UInt64($0))
        }
        for sample in features { sample[2, 3] += 4 }
        let targets: ProbeTargets = isClassification ? .classes([2, 0]) : .numbers([0.5, -1])
        let initial = AttentiveProbeParameters(zeros: sizes)
        let random = KernelTests.matrix(
            rows: 1,
            columns: initial.vector.columns,
            limit: 0.6,
            seed: 9
        )
        initial.vector.copy(from: random)
        let probes = AttentiveProbes(initial, count: 2, tokens: tokens)
        let reference = DoubleProbe(
            sizes: sizes,
            features: features.map { matrix in
                (0..<tokens).map { token in (0..<width).map { Double(matrix[token, $0]) } }
            },
            targets: targets
        )
        for _ in 0..<2 {
            let losses = try await ComputePool.shared.run { session in
                probes.addGradients(of: features, targets: targets, in: session)
            }
            for probe in 0..<2 {
                let point = Self.numbers(probes.parameters[probe].vector)
                #expect(abs(losses[probe] - reference.loss(point)) < 1e-5)
                let wanted = Self.differences(at: point, reference.loss)
                var first = 0
                for part in AttentiveProbeParameters.Part.allCases {
                    let found = Self.numbers(probes.gradients[probe][part])
                    let own = Array(wanted[first..<first + found.count])
                    Self.expect(found, own, "\(part.rawValue) of probe \(probe)")
                    first += found.count
                }
                #expect(first == point.count)
            }
            try await ComputePool.shared.run { session in
                probes.step(
                    [0.01, 0.05].map {
                        AdamW(number: 1, learningRate: $0, weightDecay: 0.1, scale: 1)
                    },
                    in: session
                )
            }
            for probe in 0..<2 {
                #expect(Self.numbers(probes.gradients[probe].vector).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test(arguments: KernelPath.runnable)
    func stepsOfAdamWAreThoseOfItsDefinition(path: KernelPath) {
        let count = 67
        let parameters = KernelTests.matrix(rows: 1, columns: count, limit: 2, seed: 10)
        var wanted = Self.numbers(parameters)
        let (first, second) = (Matrix(rows: 1, columns: count), Matrix(rows: 1, columns: count))
        var (means, squares) = (wanted.map { _ in 0.0 }, wanted.map { _ in 0.0 })
        for number in 1...4 {
            let gradient = KernelTests.matrix(
                rows: 1,
                columns: count,
                limit: 3,
                seed: UInt64(number)
            )
            // Far below epsilon, and none.
            gradient[0, 1] = 1e-12
            gradient[0, 2] = 0
            let own = Self.numbers(gradient).map { $0 * 0.25 }
            let (rate, decay) = (0.02 * Double(number), 0.3)
            for index in 0..<count {
                means[index] = 0.9 * means[index] + 0.1 * own[index]
                squares[index] = 0.999 * squares[index] + 0.001 * own[index] * own[index]
                let mean = means[index] / (1 - pow(0.9, Double(number)))
                let root = (squares[index] / (1 - pow(0.999, Double(number)))).squareRoot()
                wanted[index] -= rate * decay * wanted[index] + rate * mean / (root + 1e-8)
            }
            AdamW(number: number, learningRate: rate, weightDecay: decay, scale: 0.25)
                .apply(to: parameters, gradient: gradient, first: first, second: second, path: path)
            #expect(Self.numbers(gradient).allSatisfy { $0 == 0 })
            Self.expect(Self.numbers(parameters), wanted, "step \(number)", tolerance: 1e-6)
        }
    }
}

/// The loss of an attentive probe by its definition: keys and values of all normalised tokens.
private struct DoubleProbe {
    let sizes: AttentiveProbeSizes
    let features: [[[Double]]]
    let targets: ProbeTargets

    func loss(_ point: [Double]) -> Double {
        var first = 0
        var parts: [AttentiveProbeParameters.Part: [[Double]]] = [:]
        for part in AttentiveProbeParameters.Part.allCases {
            let shape = part.shape(sizes)
            parts[part] = (0..<shape.rows).map { row in
                let start = first + row * shape.columns
                return Array(point[start..<start + shape.columns])
            }
            first += shape.rows * shape.columns
        }
        func vector(_ part: AttentiveProbeParameters.Part) -> [Double] { parts[part]?[0] ?? [] }
        func linear(
            _ x: [Double],
            _ weight: AttentiveProbeParameters.Part,
            _ bias: AttentiveProbeParameters.Part
        ) -> [Double] {
            zip(parts[weight] ?? [], vector(bias)).map { row, bias in
                zip(row, x).reduce(bias) { $0 + $1.0 * $1.1 }
            }
        }
        let query = vector(.query)
        let asked = linear(query, .queryWeight, .queryBias)
        return features.enumerated().reduce(0) { sum, sample in
            let tokens = sample.element.map {
                GradientTests.norm($0, vector(.norm1Weight), vector(.norm1Bias))
            }
            let keys = tokens.map { linear($0, .keyWeight, .keyBias) }
            let values = tokens.map { linear($0, .valueWeight, .valueBias) }
            var pooled = query
            let width = sizes.headWidth
            for head in 0..<sizes.heads {
                let columns = head * width..<(head + 1) * width
                let weights = GradientTests.softmax(
                    keys.map { key in
                        columns.reduce(0) { $0 + key[$1] * asked[$1] } / Double(width).squareRoot()
                    }
                )
                for column in columns {
                    pooled[column] += zip(weights, values).reduce(0) { $0 + $1.0 * $1.1[column] }
                }
            }
            let hidden = linear(
                GradientTests.norm(pooled, vector(.norm2Weight), vector(.norm2Bias)),
                .hiddenWeight,
                .hiddenBias
            ).map(GradientTests.gelu)
            let result = zip(pooled, linear(hidden, .mlpWeight, .mlpBias)).map(+)
            let outputs = linear(result, .linearWeight, .linearBias)
            switch targets {
            case .classes(let classes):
                return sum - log(GradientTests.softmax(outputs)[Int(classes[sample.offset])])
            case .numbers(let numbers):
                let residual = outputs[0] - Double(numbers[sample.offset])
                return sum + residual * residual
            }
        }
    }
}
