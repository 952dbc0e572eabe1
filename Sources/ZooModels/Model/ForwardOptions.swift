// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Options of a forward pass: additional outputs, the mask token, progress.
public struct ForwardOptions: Sendable {
    /// Whether to keep the output of every layer, before the final norm.
    public var keepsLayers: Bool
    /// The encoder blocks whose outputs to return after the final norm, counted from 0.
    ///
    /// Corresponds to `out_layers` of facebookresearch/vjepa2 `src/models/vision_transformer.py`.
    public var levels: [Int]
    /// The index of the predictor's mask token, modulo the number of mask tokens.
    ///
    /// The default of the reference implementations is 1. Training used other mask tokens too, and
    /// the choice changes results: report it with any score.
    public var maskIndex: Int
    /// Called from a compute thread after each layer.
    public var progress: (@Sendable (LayerProgress) -> Void)?

    /// Creates options.
    public init(
        keepsLayers: Bool = false,
        levels: [Int] = [],
        maskIndex: Int = 1,
        progress: (@Sendable (LayerProgress) -> Void)? = nil
    ) {
        self.keepsLayers = keepsLayers
        self.levels = levels
        precondition(maskIndex >= 0, "the mask token index \(maskIndex) is negative")
        self.maskIndex = maskIndex
        self.progress = progress
    }
}

/// The progress of a forward pass.
public struct LayerProgress: Hashable, Sendable {
    /// The number of completed layers.
    public let completed: Int
    /// The total number of layers.
    public let total: Int
}
