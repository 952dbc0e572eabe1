// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Options of a forward pass: further outputs, the mask token, progress.
public struct ForwardOptions: Sendable {
    /// Whether to keep the output of every layer, before the final norm.
    public var keepsLayers: Bool
    /// The blocks of an encoder whose output to give through the final norm, counted from 0: what
    /// `out_layers` is to facebookresearch/vjepa2 `src/models/vision_transformer.py`.
    public var levels: [Int]
    /// The index of the predictor's mask token, modulo their number.
    ///
    /// 1 is what the reference implementations do when they are called directly; training used
    /// others too, and the choice changes results: state it with any score.
    public var maskIndex: Int
    /// Called from a compute thread after each layer.
    public var progress: (@Sendable (LayerProgress) -> Void)?

    /// Options for a forward pass.
    public init(
        keepsLayers: Bool = false,
        levels: [Int] = [],
        maskIndex: Int = 1,
        progress: (@Sendable (LayerProgress) -> Void)? = nil
    ) {
        self.keepsLayers = keepsLayers
        self.levels = levels
        precondition(maskIndex >= 0, "there is no mask token \(maskIndex)")
        self.maskIndex = maskIndex
        self.progress = progress
    }
}

/// The progress of a forward pass.
public struct LayerProgress: Hashable, Sendable {
    /// The number of completed layers.
    public let completed: Int
    /// The number of all layers.
    public let total: Int
}
