// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// OpenCV's bilinear resizing of 8-bit images, in its fixed-point arithmetic.
///
/// Source: opencv/opencv `modules/imgproc/src/resize.cpp` (`resizeGeneric_`, `HResizeLinear`,
/// `VResizeLinear<uchar, int, short, FixedPtCast<int, uchar, 22>>`): weights of 11 bits, sums along a
/// row are kept as integers, and the columns are combined with two shifts.
enum OpenCVLinear {
    /// For each output element its left input element and the weights of that and the next.
    private struct Taps {
        var starts: [Int] = []
        var weights: [(left: Int32, right: Int32)] = []

        init(from input: Int, to output: Int, clampsFraction: Bool) {
            let scale = 1 / (Double(output) / Double(input))
            for index in 0..<output {
                let position = Float((Double(index) + 0.5) * scale - 0.5)
                var start = Int(position.rounded(.down))
                var fraction = position - Float(start)
                // Along the rows OpenCV moves the fraction inside; along the columns it leaves it
                // and repeats the first or last row.
                if clampsFraction && (start < 0 || start >= input - 1) {
                    start = start < 0 ? 0 : input - 1
                    fraction = 0
                }
                starts.append(start)
                weights.append((Self.fixed(1 - fraction), Self.fixed(fraction)))
            }
        }

        private static func fixed(_ weight: Float) -> Int32 {
            Int32((weight * 2048).rounded(.toNearestOrEven))
        }
    }

    static func resized(_ image: RGBImage, width: Int, height: Int) -> RGBImage {
        let across = Taps(from: image.width, to: width, clampsFraction: true)
        let down = Taps(from: image.height, to: height, clampsFraction: false)
        let row = width * 3
        let scaled = unsafe image.pixels(count: height * row) { source, target in
            unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * row) { sums in
                guard let first = sums.baseAddress else { return }
                var upper = unsafe first
                var lower = unsafe first + row
                // The input rows that the two rows of sums were made of.
                var upperRow = -1
                var lowerRow = -1
                for y in 0..<height {
                    let top = min(max(down.starts[y], 0), image.height - 1)
                    let bottom = min(max(down.starts[y] + 1, 0), image.height - 1)
                    if top == lowerRow {
                        unsafe swap(&upper, &lower)
                        swap(&upperRow, &lowerRow)
                    }
                    if top != upperRow {
                        unsafe sumRow(source, image.width, top, across, upper)
                        upperRow = top
                    }
                    if bottom != lowerRow {
                        unsafe sumRow(source, image.width, bottom, across, lower)
                        lowerRow = bottom
                    }
                    let weights = down.weights[y]
                    let out = unsafe target + y * row
                    for x in 0..<row {
                        let above = unsafe (weights.left &* (upper[x] &>> 4)) &>> 16
                        let below = unsafe (weights.right &* (lower[x] &>> 4)) &>> 16
                        unsafe out[x] = UInt8(clamping: (above &+ below &+ 2) &>> 2)
                    }
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: scaled)
    }

    /// One input row scaled along its length, times 2048.
    @unsafe
    private static func sumRow(
        _ source: UnsafePointer<UInt8>,
        _ width: Int,
        _ row: Int,
        _ taps: Taps,
        _ sums: UnsafeMutablePointer<Int32>
    ) {
        let line = unsafe source + row * width * 3
        for x in 0..<taps.starts.count {
            let left = unsafe line + taps.starts[x] * 3
            // The last column has no neighbour, and its weight is 0.
            let right = unsafe line + min(taps.starts[x] + 1, width - 1) * 3
            let weights = taps.weights[x]
            for channel in 0..<3 {
                unsafe sums[x * 3 + channel] =
                    Int32(left[channel]) &* weights.left &+ Int32(right[channel]) &* weights.right
            }
        }
    }
}
