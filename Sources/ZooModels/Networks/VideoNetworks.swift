// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// The networks of a video model: an encoder of clips, and a predictor if the release has one.
public struct VideoNetworks: Sendable {
    let encoder: PatchEncoder
    let predictor: (any MaskedPredictor)?
    let size: VideoSize

    init(encoder: PatchEncoder, predictor: (any MaskedPredictor)? = nil, size: VideoSize) {
        self.encoder = encoder
        self.predictor = predictor
        self.size = size
    }
}

/// An encoder of clips that are split into tubelets of patches: V-JEPA and its successors.
public protocol VideoEncoder: JEPAEncoder {
    /// The encoder and the predictor.
    var networks: VideoNetworks { get }
}

extension VideoEncoder {
    /// Clips with the number of frames and the image size of training.
    public var input: ModelInput { networks.size.input }

    /// The number of elements of a token's features.
    public var width: Int { networks.encoder.stack.width }

    /// The predictor of masked tokens; nil if the release has none.
    public var predictor: (any MaskedPredictor)? { networks.predictor }

    /// Returns the tokens of whole tubelets; ids count columns first, then rows, then tubelets.
    public func tokens(
        ofFrames frames: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        try networks.size.tokens(ofFrames: frames, batch: batch)
    }

    /// Encodes clips [batch, frames, channels, height, width]; see ``JEPAEncoder``.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        try await networks.encoder.encode(
            pixelValues,
            visible: visible,
            options: options,
            on: pool
        )
    }
}
