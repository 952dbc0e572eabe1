// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooInference
package import ZooMedia
package import ZooModels
package import ZooTensor

/// Draws the first three principal components of patch features as red, green and blue.
///
/// The features are drawn below the frames that they were computed from.
package struct FeaturePicture {
    /// The maximum number of frames in a row.
    private static let columns = 8
    /// The white gap between frames, in pixels.
    private static let gap = 4
    /// The minimum height of a frame in pixels; smaller frames are enlarged.
    private static let leastHeight = 112
    /// The maximum number of pixels in a picture.
    private static let mostPixels = 1 << 28
    /// The quantiles to which values are clipped, so that one outlier does not reduce the contrast.
    private static let range = (low: 0.01, high: 0.99)

    private let pixels: Tensor
    private let colours: [UInt8]
    private let grid: (tubelets: Int, rows: Int, columns: Int)
    private let tubelet: Int

    /// Creates a picture.
    ///
    /// - Parameters:
    ///   - components: three components for each token of each sample.
    ///   - pixels: the encoded frames, [batch, frames, 3, height, width].
    ///   - input: how the model splits its input into tokens; checked by ``check(_:of:input:)``.
    package init(_ components: PrincipalComponents, of pixels: Tensor, input: ModelInput) {
        self.pixels = pixels
        grid = Self.grid(of: pixels, input)
        tubelet = Self.tubelet(of: pixels, input)
        colours = Self.stretched(components.projections.values, channels: 3)
    }

    private static func tubelet(of pixels: Tensor, _ input: ModelInput) -> Int {
        pixels.shape[1] == 1 ? 1 : input.tubelet
    }

    private static func grid(
        of pixels: Tensor,
        _ input: ModelInput
    ) -> (tubelets: Int, rows: Int, columns: Int) {
        let shape = pixels.shape
        return (
            shape[1] / tubelet(of: pixels, input), shape[3] / input.patch, shape[4] / input.patch
        )
    }

    /// Checks that features can be drawn.
    ///
    /// - Parameters:
    ///   - features: the features, [batch, tokens, width].
    ///   - pixels: the encoded frames, [batch, frames, 3, height, width].
    ///   - input: how the model splits its input into tokens.
    /// - Throws: ``ZooError`` with code `model.unsupported` if the tokens are not patches or the
    ///   input does not have three colour channels; `input.unsuitable` if the picture would be too
    ///   large.
    package static func check(
        _ features: Tensor,
        of pixels: Tensor,
        input: ModelInput
    ) throws(ZooError) {
        let (sizes, grid) = (pixels.shape.sizes, grid(of: pixels, input))
        let tokens = grid.tubelets * grid.rows * grid.columns
        guard features.shape[0] == sizes[0], features.shape[1] == tokens, sizes[2] == 3 else {
            throw ZooError(
                .modelUnsupported,
                "the tokens of this model are not patches of a colour image",
                remedy: "use a model with one token for each patch, such as I-JEPA or V-JEPA"
            )
        }
        let cells = sizes[0] * grid.tubelets
        let scale = max(1, leastHeight / sizes[3])
        let (area, overflow) = (2 * scale * scale * sizes[3] * sizes[4])
            .multipliedReportingOverflow(by: cells)
        guard !overflow, area <= mostPixels else {
            throw ZooError(
                .inputUnsuitable,
                "a picture of \(cells) frames of \(sizes[4]) x \(sizes[3]) pixels would be too large",
                remedy: "take fewer frames with --frames"
            )
        }
    }

    /// Scales every channel to 0…255 between its quantiles.
    private static func stretched(_ values: [Float], channels: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: values.count)
        for channel in 0..<channels {
            let own = stride(from: channel, to: values.count, by: channels).map { values[$0] }
                .sorted()
            let low = own[Int(range.low * Double(own.count - 1))]
            let high = own[Int((range.high * Double(own.count - 1)).rounded(.up))]
            for index in stride(from: channel, to: values.count, by: channels) {
                let share = high > low ? (values[index] - low) / (high - low) : 0.5
                result[index] = UInt8((min(1, max(0, share)) * 255).rounded())
            }
        }
        return result
    }

    /// The picture: the first frame of each tubelet of each sample, and its features below.
    package var image: RGBImage {
        let sizes = pixels.shape.sizes
        let scale = max(1, Self.leastHeight / sizes[3])
        let (height, width) = (sizes[3] * scale, sizes[4] * scale)
        let cells = sizes[0] * grid.tubelets
        let across = min(cells, Self.columns)
        let down = (cells + across - 1) / across
        let cell = (width: width + Self.gap, height: 2 * height + 2 * Self.gap)
        let size = (
            width: across * cell.width - Self.gap, height: down * cell.height - Self.gap
        )
        var bytes = [UInt8](repeating: 255, count: 3 * size.width * size.height)
        let plane = sizes[3] * sizes[4]
        pixels.withValues { values in
            var (low, high) = (Float.infinity, -Float.infinity)
            for index in 0..<values.count {
                low = min(low, values[index])
                high = max(high, values[index])
            }
            // The difference of two large Floats can overflow.
            let contrast = high > low ? 255 / (Double(high) - Double(low)) : 0
            for index in 0..<cells {
                let (sample, step) = (index / grid.tubelets, index % grid.tubelets)
                let left = index % across * cell.width
                let top = index / across * cell.height
                let frame = (sample * sizes[1] + step * tubelet) * 3 * plane
                let token = index * grid.rows * grid.columns
                for row in 0..<height {
                    for column in 0..<width {
                        let pixel = row / scale * sizes[4] + column / scale
                        let above = 3 * ((top + row) * size.width + left + column)
                        let below = above + 3 * (height + Self.gap) * size.width
                        let patch =
                            token + min(row * grid.rows / height, grid.rows - 1) * grid.columns
                            + min(column * grid.columns / width, grid.columns - 1)
                        for channel in 0..<3 {
                            let value = values[frame + channel * plane + pixel]
                            bytes[above + channel] =
                                UInt8(((Double(value) - Double(low)) * contrast).rounded())
                            bytes[below + channel] = colours[3 * patch + channel]
                        }
                    }
                }
            }
        }
        return RGBImage(width: size.width, height: size.height, pixels: bytes)
    }
}
