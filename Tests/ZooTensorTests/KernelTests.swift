// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTensor

/// Every kernel is compared with float64 arithmetic, on every path this processor can run.
@Suite struct KernelTests {
    /// Values from -`limit` to `limit` in a matrix whose rows are not a multiple of any vector.
    static func matrix(rows: Int, columns: Int, limit: Float, seed: UInt64 = 1) -> Matrix {
        var generator = SplitMix(state: seed)
        let matrix = Matrix(rows: rows, columns: columns + 3).columns(1..<columns + 1)
        for row in 0..<rows {
            for column in 0..<columns {
                matrix[row, column] = Float.random(in: -limit...limit, using: &generator)
            }
        }
        return matrix
    }

    static func vector(_ count: Int, seed: UInt64) -> Tensor {
        let row = matrix(rows: 1, columns: count, limit: 1, seed: seed)
        return Tensor(shape: [count], values: (0..<count).map { row[0, $0] })
    }

    @Test(arguments: KernelPath.runnable)
    func geluIsWithinEightUnitsInTheLastPlace(path: KernelPath) {
        let count = 200_000
        let x = Matrix(rows: 1, columns: count)
        for i in 0..<count { x[0, i] = -13 + 27 * Float(i) / Float(count) }
        let inputs = (0..<count).map { x[0, $0] }
        x.biasGELU(nil, path: path)
        var worst = 0.0
        for (i, input) in inputs.enumerated() {
            let exact = Double(input) / 2 * erfc(-Double(input) / 2.0.squareRoot())
            let unit = Double(Float(exact).ulp)
            worst = max(worst, abs(Double(x[0, i]) - exact) / unit)
        }
        #expect(worst <= 8)
    }

    @Test(arguments: KernelPath.runnable)
    func geluOfSpecialValuesIsThatOfTheReference(path: KernelPath) {
        let x = Matrix(rows: 1, columns: 6)
        let inputs: [Float] = [.nan, .infinity, 0, -40, 40, 1e30]
        for (i, input) in inputs.enumerated() { x[0, i] = input }
        x.biasGELU(nil, path: path)
        #expect(x[0, 0].isNaN)
        #expect(x[0, 1] == .infinity)
        #expect(x[0, 2] == 0)
        #expect(x[0, 3] == 0)
        #expect(x[0, 4] == 40)
        #expect(x[0, 5] == 1e30)
    }

    @Test(arguments: KernelPath.runnable)
    func biasGELUAddsTheBiasFirst(path: KernelPath) {
        let x = Self.matrix(rows: 3, columns: 37, limit: 3)
        let bias = Self.vector(37, seed: 5)
        let expected = (0..<3).map { row in
            (0..<37).map { column in
                let v = Double(x[row, column] + bias[column])
                return v / 2 * erfc(-v / 2.0.squareRoot())
            }
        }
        x.biasGELU(bias, path: path)
        for row in 0..<3 {
            for column in 0..<37 {
                #expect(abs(Double(x[row, column]) - expected[row][column]) < 1e-6)
            }
        }
    }

    @Test(arguments: KernelPath.runnable)
    func softmaxIsExactToFloatPrecision(path: KernelPath) {
        let (rows, columns, scale) = (4, 333, Float(0.25))
        let x = Self.matrix(rows: rows, columns: columns, limit: 60)
        let expected = (0..<rows).map { row in
            let values = (0..<columns).map { Double(scale) * Double(x[row, $0]) }
            let top = values.max() ?? 0
            let weights = values.map { exp($0 - top) }
            let sum = weights.reduce(0, +)
            return weights.map { $0 / sum }
        }
        let sums = Matrix(rows: 1, columns: rows)
        x.softmaxNumerators(scale: scale, sums: sums, path: path)
        x.divideRows(by: sums, path: path)
        for row in 0..<rows {
            for column in 0..<columns {
                #expect(abs(Double(x[row, column]) - expected[row][column]) < 2e-7)
            }
        }
    }

    @Test(arguments: KernelPath.runnable)
    func softmaxOfRowsWithoutSpreadOrWithNaNIsDefined(path: KernelPath) {
        let x = Matrix(rows: 2, columns: 70)
        for column in 0..<70 {
            x[0, column] = 1e30
            x[1, column] = column == 69 ? .nan : 1
        }
        let sums = Matrix(rows: 1, columns: 2)
        x.softmaxNumerators(scale: 1, sums: sums, path: path)
        #expect(sums[0, 0] == 70)
        #expect(sums[0, 1].isNaN)
    }

    @Test(arguments: KernelPath.runnable)
    func layerNormMatchesItsDefinition(path: KernelPath) {
        let (rows, columns) = (3, 101)
        let x = Self.matrix(rows: rows, columns: columns, limit: 4)
        let (weight, bias) = (Self.vector(columns, seed: 2), Self.vector(columns, seed: 3))
        let output = Matrix(rows: rows, columns: columns)
        output.layerNorm(of: x, weight: weight, bias: bias, epsilon: 1e-6, path: path)
        for row in 0..<rows {
            let values = (0..<columns).map { Double(x[row, $0]) }
            let mean = values.reduce(0, +) / Double(columns)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
            for column in 0..<columns {
                let exact =
                    (values[column] - mean) / (variance + 1e-6).squareRoot()
                    * Double(weight[column]) + Double(bias[column])
                #expect(abs(Double(output[row, column]) - exact) < 2e-6)
            }
        }
    }

    @Test(arguments: KernelPath.runnable)
    func headsAreSplitBiasedAndTurned(path: KernelPath) {
        let (tokens, heads, headWidth, turned) = (5, 3, 11, 6)
        let input = Self.matrix(rows: tokens, columns: heads * headWidth, limit: 2)
        let bias = Self.vector(heads * headWidth, seed: 9)
        let cosines = Matrix(rows: tokens, columns: turned)
        let sines = Matrix(rows: tokens, columns: turned)
        for token in 0..<tokens {
            for j in 0..<turned {
                cosines[token, j] = cos(Float(token * 7 + j))
                sines[token, j] = sin(Float(token * 7 + j))
            }
        }
        let stack = HeadStack(batch: 2, heads: heads, tokens: tokens, headWidth: headWidth)
        stack.store(
            input,
            tokens: 0..<tokens,
            of: 1,
            bias: bias,
            rotation: Rotation(cosines: cosines, sines: sines),
            path: path
        )
        for token in 0..<tokens {
            for head in 0..<heads {
                func v(_ j: Int) -> Float {
                    input[token, head * headWidth + j] + bias[head * headWidth + j]
                }
                for j in 0..<headWidth {
                    let partner = j % 2 == 0 ? -v(min(j + 1, headWidth - 1)) : v(j - 1)
                    let expected =
                        j < turned
                        ? v(j) * cosines[token, j] + partner * sines[token, j] : v(j)
                    #expect(abs(stack.head(head, of: 1)[token, j] - expected) < 1e-6)
                    #expect(stack.head(head, of: 0)[token, j] == 0)
                }
            }
        }
    }

    @Test(arguments: KernelPath.runnable)
    func biasesAreAddedAndRowsDividedExactly(path: KernelPath) {
        let (rows, columns) = (5, 37)
        let x = Self.matrix(rows: rows, columns: columns, limit: 4)
        let before = Self.matrix(rows: rows, columns: columns, limit: 4)
        let bias = Self.vector(columns + 2, seed: 4)
        x.addBias(bias, from: 2, path: path)
        for row in 0..<rows {
            for column in 0..<columns {
                #expect(x[row, column] == before[row, column] + bias[column + 2])
            }
        }
        let divisors = Self.matrix(rows: 1, columns: rows, limit: 3, seed: 8)
        let sums = Self.matrix(rows: rows, columns: columns, limit: 4)
        sums.divideRows(by: divisors, path: path)
        for row in 0..<rows {
            for column in 0..<columns {
                let exact = Double(before[row, column]) / Double(divisors[0, row])
                #expect(abs(Double(sums[row, column]) - exact) <= 1.2e-7 * abs(exact))
            }
        }
    }

    // The tests above compare the copies that this processor can run; a copy that it cannot run is
    // reported as a skipped test.

    @Test(.enabled(if: KernelPath.runnable.contains(.avx2), "this processor has no AVX2"))
    func theCopiesForAVX2AreCompared() {
        #expect(KernelPath.runnable.prefix(2) == [.portable, .avx2])
    }

    @Test(.enabled(if: KernelPath.runnable.contains(.avx512), "this processor has no AVX-512"))
    func theCopiesForAVX512AreCompared() {
        #expect(KernelPath.runnable == [.portable, .avx2, .avx512])
    }

    @Test(arguments: KernelPath.runnable)
    func everyHalfAndEveryBFloat16IsWidenedExactly(path: KernelPath) {
        let patterns = (0...UInt16.max).map { $0 }
        let bytes = patterns.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        func widened(_ dtype: DType) -> [Float] {
            let stored = StoredBytes.tensor(dtype, [patterns.count], bytes)
            return unsafe [Float](unsafeUninitializedCapacity: patterns.count) { buffer, count in
                if let start = buffer.baseAddress {
                    unsafe stored.widen(elements: 0..<patterns.count, into: start, path: path)
                }
                count = patterns.count
            }
        }
        let (halves, brains) = (widened(.f16), widened(.bf16))
        for (index, pattern) in patterns.enumerated() {
            let half = Float(Float16(bitPattern: pattern))
            #expect(
                half.isNaN
                    ? halves[index].isNaN : halves[index].bitPattern == half.bitPattern
            )
            #expect(brains[index].bitPattern == UInt32(pattern) << 16)
        }
    }
}

/// A small deterministic generator (Steele, Lea and Flood 2014), so that failures repeat.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Bytes in memory that stored tensors can be views of.
@safe
final class StoredBytes: @unchecked Sendable {
    @unsafe let buffer: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8], misalignment: Int) {
        unsafe buffer = .allocate(byteCount: bytes.count + misalignment, alignment: 64)
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[misalignment...]).copyBytes(
            from: bytes
        )
    }

    deinit { unsafe buffer.deallocate() }

    static func tensor(
        _ dtype: DType,
        _ shape: Shape,
        _ bytes: [UInt8],
        misalignment: Int = 0
    ) -> StoredTensor {
        let owner = StoredBytes(bytes, misalignment: misalignment)
        return unsafe StoredTensor(
            dtype: dtype,
            shape: shape,
            unsafeBytes: UnsafeRawBufferPointer(rebasing: owner.buffer[misalignment...]),
            owner: owner
        )
    }

    /// Values that the type can hold.
    static func tensor(
        _ dtype: DType,
        _ shape: Shape,
        values: [Float],
        misalignment: Int = 0
    ) -> StoredTensor {
        let bytes = values.flatMap { value -> [UInt8] in
            switch dtype {
            case .f16: unsafe withUnsafeBytes(of: Float16(value)) { unsafe Array($0) }
            case .bf16:
                unsafe withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { unsafe Array($0) }
            default: unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
            }
        }
        return tensor(dtype, shape, bytes, misalignment: misalignment)
    }
}
