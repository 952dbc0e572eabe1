// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a forward pass should do besides computing its result.
public struct ForwardOptions: Sendable {
    /// Whether to keep the output of every layer, before the final norm.
    public var keepsLayers: Bool
    /// Called from a compute thread after each layer.
    public var progress: (@Sendable (LayerProgress) -> Void)?

    /// Options for a forward pass.
    public init(
        keepsLayers: Bool = false,
        progress: (@Sendable (LayerProgress) -> Void)? = nil
    ) {
        self.keepsLayers = keepsLayers
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
