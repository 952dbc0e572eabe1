// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The output of an encoder.
public struct Encoding: Sendable {
    /// The features of every token after the final norm: [batch, tokens, width].
    public let tokens: TokenFeatures
    /// The input of the predictor: ``tokens``, or several levels of the encoder concatenated along
    /// the width if the predictor was trained on those.
    public let context: TokenFeatures
    /// The patch embeddings and the output of each layer before the final norm, each
    /// [batch, tokens, width]; empty unless ``ForwardOptions/keepsLayers`` is set.
    public let layers: [Tensor]
    /// The output of each block of ``ForwardOptions/levels``, after the final norm, in that order.
    public let levels: [TokenFeatures]
}
