// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a forward pass should do besides computing its result.
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

/// How far a forward pass is.
public struct LayerProgress: Hashable, Sendable {
    /// The layers done.
    public let completed: Int
    /// All layers.
    public let total: Int
}
