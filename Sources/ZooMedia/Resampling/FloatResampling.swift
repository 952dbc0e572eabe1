// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// Bilinear scaling of float planes as PyTorch's `interpolate(mode="bilinear",
/// align_corners=False)` does it; equal to rounding in the last places.
///
/// Source: PyTorch `aten/src/ATen/native/UpSample.h` (`area_pixel_compute_source_index`) and
/// `aten/src/ATen/native/cpu/UpSampleKernel.cpp`.
enum FloatResampling {
    /// Scales the planes of `[..., height, width]`.
    ///
    /// - Parameters:
    ///   - input: At least two axes.
    ///   - width: Columns of the result.
    ///   - height: Rows of the result.
    ///   - antialias: Whether the filter grows with the scale.
    /// - Returns: `[..., height, width]` with the scaled planes.
    static func bilinear(_ input: Tensor, width: Int, height: Int, antialias: Bool) -> Tensor {
        let rank = input.shape.rank
        let rows = input.shape[rank - 2]
        let columns = input.shape[rank - 1]
        let across = taps(from: columns, to: width, antialias)
        let down = taps(from: rows, to: height, antialias)
        let planes = input.shape.sizes.dropLast(2).reduce(1, *)
        var output = Tensor(zeros: Shape(input.shape.sizes.dropLast(2) + [height, width]))
        input.withValues { source in
            output.withMutableValues { target in
                var half = [Float](repeating: 0, count: rows * width)
                for plane in 0..<planes {
                    for row in 0..<rows {
                        let line = (plane * rows + row) * columns
                        for x in 0..<width {
                            var sum: Float = 0
                            for tap in across[x].weights.indices {
                                sum += across[x].weights[tap] * source[line + across[x].start + tap]
                            }
                            half[row * width + x] = sum
                        }
                    }
                    for y in 0..<height {
                        let line = (plane * height + y) * width
                        for tap in down[y].weights.indices {
                            let weight = down[y].weights[tap]
                            let from = (down[y].start + tap) * width
                            for x in 0..<width { target[line + x] += weight * half[from + x] }
                        }
                    }
                }
            }
        }
        return output
    }

    /// The input elements of one output element.
    private struct Taps {
        let start: Int
        let weights: [Float]
    }

    private static func taps(from input: Int, to output: Int, _ antialias: Bool) -> [Taps] {
        guard antialias else {
            let scale = Float(input) / Float(output)
            return (0..<output).map { index in
                let position = max(scale * (Float(index) + 0.5) - 0.5, 0)
                let start = min(Int(position), input - 1)
                let fraction = min(max(position - Float(start), 0), 1)
                return start == input - 1
                    ? Taps(start: start, weights: [1])
                    : Taps(start: start, weights: [1 - fraction, fraction])
            }
        }
        let taps = AntialiasTaps(from: input, to: output, .triangle)
        return (0..<output).map { index in
            let first = index * taps.stride
            return Taps(
                start: taps.starts[index],
                weights: taps.weights[first..<first + taps.counts[index]].map { Float($0) }
            )
        }
    }
}
