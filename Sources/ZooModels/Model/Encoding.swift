// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The output of an encoder.
public struct Encoding: Sendable {
    /// The features of every token after the final norm: [batch, tokens, width].
    public let tokens: TokenFeatures
    /// The features that the predictor takes: ``tokens``, or several levels of the encoder side by side
    /// where it was trained on those.
    public let context: TokenFeatures
    /// The patch embeddings and the output of each layer before the final norm, each
    /// [batch, tokens, width]; empty unless asked for.
    public let layers: [Tensor]
    /// The output of each block that ``ForwardOptions/levels`` asks for, through the final norm, in the
    /// order asked for.
    public let levels: [TokenFeatures]
}
