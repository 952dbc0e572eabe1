// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension RGBImage {
    /// Scales along the rows, then along the columns, each pass with integer weights and rounded to
    /// 8 bits, as Pillow's `ImagingResampleHorizontal_8bpc` and `ImagingResampleVertical_8bpc` do.
    ///
    /// - Parameters:
    ///   - width: Columns of the result.
    ///   - height: Rows of the result.
    ///   - filter: The shape of the filter.
    ///   - precision: The fractional bits for the weights of one pass.
    /// - Returns: the resized image.
    func antialiased(
        _ width: Int,
        _ height: Int,
        _ filter: AntialiasTaps.Filter,
        precision: ([Double]) -> Int
    ) -> RGBImage {
        var image = self
        if width != image.width {
            let taps = AntialiasTaps(from: image.width, to: width, filter)
            image = image.scaledAlongRows(taps, precision(taps.weights))
        }
        if height != image.height {
            let taps = AntialiasTaps(from: image.height, to: height, filter)
            image = image.scaledAlongColumns(taps, precision(taps.weights))
        }
        return image
    }

    private func scaledAlongRows(_ taps: AntialiasTaps, _ precision: Int) -> RGBImage {
        let output = taps.starts.count
        let weights = taps.quantised(precision)
        let half = Int32(1) << Int32(precision - 1)
        let shift = Int32(precision)
        let row = width * 3
        let scaled = unsafe pixels(count: height * output * 3) { source, target in
            unsafe weights.withUnsafeBufferPointer { weights in
                var out = unsafe target
                for y in 0..<height {
                    let line = unsafe source + y * row
                    for x in 0..<output {
                        var pixel = unsafe line + taps.starts[x] * 3
                        var red = half
                        var green = half
                        var blue = half
                        for tap in x * taps.stride..<x * taps.stride + taps.counts[x] {
                            let weight = unsafe weights[tap]
                            unsafe red &+= weight &* Int32(pixel[0])
                            unsafe green &+= weight &* Int32(pixel[1])
                            unsafe blue &+= weight &* Int32(pixel[2])
                            unsafe pixel += 3
                        }
                        unsafe out[0] = UInt8(clamping: red &>> shift)
                        unsafe out[1] = UInt8(clamping: green &>> shift)
                        unsafe out[2] = UInt8(clamping: blue &>> shift)
                        unsafe out += 3
                    }
                }
            }
        }
        return RGBImage(width: output, height: height, pixels: scaled)
    }

    private func scaledAlongColumns(_ taps: AntialiasTaps, _ precision: Int) -> RGBImage {
        let output = taps.starts.count
        let weights = taps.quantised(precision)
        let half = Int32(1) << Int32(precision - 1)
        let shift = Int32(precision)
        let row = width * 3
        let scaled = unsafe pixels(count: output * row) { source, target in
            // Whole rows at a time, so that the compiler vectorises.
            unsafe withUnsafeTemporaryAllocation(of: Int32.self, capacity: row) { sums in
                for y in 0..<output {
                    unsafe sums.update(repeating: half)
                    for tap in 0..<taps.counts[y] {
                        let weight = weights[y * taps.stride + tap]
                        let line = unsafe source + (taps.starts[y] + tap) * row
                        for x in 0..<row {
                            unsafe sums[x] &+= weight &* Int32(line[x])
                        }
                    }
                    let out = unsafe target + y * row
                    for x in 0..<row {
                        unsafe out[x] = UInt8(clamping: sums[x] &>> shift)
                    }
                }
            }
        }
        return RGBImage(width: width, height: output, pixels: scaled)
    }

    /// New bytes that `fill` writes while it reads the pixels.
    func pixels(
        count: Int,
        _ fill: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
    ) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { target, used in
            unsafe target.initialize(repeating: 0)
            unsafe pixels.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = target.baseAddress else {
                    preconditionFailure("an image has pixels")
                }
                unsafe fill(from, to)
            }
            used = count
        }
    }
}
