// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// A patch embedding of videos: a linear layer on tubelets of patches.
///
/// A tubelet is `tubelet` frames by `patch` by `patch` pixels. Frames and pixels at the end that do
/// not fill a tubelet are dropped.
package struct PatchEmbedding3D: Sendable {
    package let linear: Linear
    package let channels: Int
    package let tubelet: Int
    package let patch: Int

    /// Returns the token grid of a video [.., frames, channels, height, width].
    package func tokens(
        frames: Int,
        height: Int,
        width: Int
    ) -> (frames: Int, rows: Int, columns: Int) {
        (frames / tubelet, height / patch, width / patch)
    }

    /// Embeds some tokens of some samples.
    ///
    /// - Parameters:
    ///   - pixels: [batch, frames, channels, height, width].
    ///   - frames: the number of frames to read; after the last frame the video repeats.
    ///   - ids: the ids of the tokens to embed, the same number for each sample; ids count columns
    ///     first, then rows, then frames.
    ///   - output: [batch · tokens, width].
    ///   - session: the threads to use.
    package func apply(
        to pixels: Tensor,
        frames: Int,
        ids: [[Int]],
        into output: Matrix,
        session: ComputeSession
    ) {
        let (height, width) = (pixels.shape[3], pixels.shape[4])
        let sizes = tokens(frames: frames, height: height, width: width)
        let grid = TokenGrid(rows: sizes.rows, columns: sizes.columns)
        // A row of this matrix is a row of pixels.
        let lines = pixels.reshaped([pixels.shape.elementCount / width, width]).matrix
        let frameCount = pixels.shape[1]
        let count = ids.first?.count ?? 0
        session.forEachPanel(samples: ids.count, rows: count, height: 256) {
            sample,
            range,
            scratch in
            scratch.measure(
                .patchEmbedding,
                operations: 2 * range.count * linear.weight.inputs * linear.weight.outputs
            ) {
                let patches = scratch.matrix(
                    .patches,
                    rows: range.count,
                    columns: linear.weight.inputs
                )
                for (row, token) in range.enumerated() {
                    let place = grid.position(of: ids[sample][token])
                    var column = 0
                    for channel in 0..<channels {
                        for time in 0..<tubelet {
                            let frame = (place.frame * tubelet + time) % frameCount
                            let image = (sample * frameCount + frame) * channels + channel
                            for y in 0..<patch {
                                let line = image * height + place.row * patch + y
                                patches.rows(row..<row + 1).columns(column..<column + patch).copy(
                                    from: lines.rows(line..<line + 1).columns(
                                        place.column * patch..<(place.column + 1) * patch
                                    )
                                )
                                column += patch
                            }
                        }
                    }
                }
                let target = output.rows(
                    sample * count + range.lowerBound..<sample * count + range.upperBound
                )
                linear.apply(to: patches, into: target, scratch: scratch)
            }
        }
    }
}

extension WeightScope {
    /// Loads `<name>.weight` [width, channels, patch, patch] and `<name>.bias` [width], a patch
    /// embedding of images, which are videos of one frame.
    package func patchEmbedding2D(
        _ name: String,
        channels: Int,
        patch: Int,
        width: Int
    ) throws(ZooError) -> PatchEmbedding3D {
        let scope = scope(name)
        let weight = try scope.tensor("weight", shape: [width, channels, patch, patch])
        return PatchEmbedding3D(
            linear: Linear(
                weight: WeightMatrix(weight),
                bias: try scope.values("bias", shape: [width])
            ),
            channels: channels,
            tubelet: 1,
            patch: patch
        )
    }

    /// Loads `<name>.weight` [width, channels, tubelet, patch, patch] and `<name>.bias` [width], a
    /// convolution whose stride equals its kernel size.
    package func patchEmbedding3D(
        _ name: String,
        channels: Int,
        tubelet: Int,
        patch: Int,
        width: Int
    ) throws(ZooError) -> PatchEmbedding3D {
        let scope = scope(name)
        let weight = try scope.tensor(
            "weight",
            shape: [width, channels, tubelet, patch, patch]
        )
        return PatchEmbedding3D(
            linear: Linear(
                weight: WeightMatrix(weight),
                bias: try scope.values("bias", shape: [width])
            ),
            channels: channels,
            tubelet: tubelet,
            patch: patch
        )
    }
}
