// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

extension Preprocessing {
    /// The frames at `indices` of a file as the input of a model: one tensor
    /// `[frames, 3, height, width]` for each view.
    ///
    /// Only one decoded frame is in memory at a time.
    ///
    /// - Throws: as ``MediaFile/read(indices:)`` and ``views(of:)-(RGBClip)``.
    public func views(of media: MediaFile, indices: [Int]) async throws -> [Tensor] {
        let frames = try await media.map(indices: indices) { try views(of: $0) }
        return (0..<viewCount).map { view in Tensor(stacking: frames.map { $0[view] }) }
    }
}
