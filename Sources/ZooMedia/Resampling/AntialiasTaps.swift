// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Which input elements make one output element along an axis, and with what weights, when the
/// filter grows with the scale (antialias).
///
/// Source: Pillow `src/libImaging/Resample.c` (`precompute_coeffs`); PyTorch
/// `aten/src/ATen/native/cpu/UpSampleKernel.cpp` (`_compute_indices_min_size_weights_aa`) computes the
/// same.
struct AntialiasTaps {
    /// The shape of the filter.
    enum Filter {
        /// Bilinear.
        case triangle
        /// Cubic convolution with a = −0.5.
        case cubic

        var support: Double { self == .triangle ? 1 : 2 }

        func value(_ x: Double) -> Double {
            let x = abs(x)
            switch self {
            case .triangle: return x < 1 ? 1 - x : 0
            case .cubic:
                let a = -0.5
                if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
                return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
            }
        }
    }

    /// The first input element of each output element.
    let starts: [Int]
    /// How many input elements each output element has.
    let counts: [Int]
    /// The weights of each output element, `stride` apart, followed by zeros.
    let weights: [Double]
    /// The largest count.
    let stride: Int

    init(from input: Int, to output: Int, _ filter: Filter) {
        let scale = Double(input) / Double(output)
        let stretch = max(scale, 1)
        let support = filter.support * stretch
        let inverse = 1 / stretch
        stride = Int(support.rounded(.up)) * 2 + 1
        var starts: [Int] = []
        var counts: [Int] = []
        var weights = [Double](repeating: 0, count: output * stride)
        for index in 0..<output {
            let centre = (Double(index) + 0.5) * scale
            let start = max(0, Int(centre - support + 0.5))
            let count = min(min(input, Int(centre + support + 0.5)) - start, stride)
            var sum = 0.0
            for tap in 0..<count {
                let weight = filter.value((Double(tap + start) - centre + 0.5) * inverse)
                weights[index * stride + tap] = weight
                sum += weight
            }
            if sum != 0 {
                for tap in 0..<count { weights[index * stride + tap] /= sum }
            }
            starts.append(start)
            counts.append(count)
        }
        self.starts = starts
        self.counts = counts
        self.weights = weights
    }

    /// The weights as integers of `precision` fractional bits, halves away from zero.
    func quantised(_ precision: Int) -> [Int32] {
        let one = Double(1 << precision)
        return weights.map { Int32($0 < 0 ? $0 * one - 0.5 : $0 * one + 0.5) }
    }

    /// The fractional bits PyTorch gives to 16-bit weights: as many as the largest leaves room for.
    static func precisionOfTorch(_ weights: [Double]) -> Int {
        let largest = weights.max() ?? 0
        var precision = 0
        while precision < 22, Int(0.5 + largest * Double(1 << (precision + 1))) < 1 << 15 {
            precision += 1
        }
        return precision
    }
}
