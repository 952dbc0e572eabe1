// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// An encoder from images or clips to features of tokens.
public protocol JEPAEncoder: Sendable {
    /// The family of the model.
    var family: FamilyID { get }

    /// The input that the model was trained on.
    var input: ModelInput { get }

    /// The number of elements of a token's features.
    var width: Int { get }

    /// The predictor of masked tokens; nil if the release has none, or its predictor takes actions.
    var predictor: (any MaskedPredictor)? { get }

    /// Returns the tokens that cover some frames, for every sample of a batch.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` if the frames are not whole
    ///   tubelets.
    func tokens(ofFrames frames: Range<Int>, batch: Int) throws(ZooError) -> TokenSelection

    /// Encodes images or clips.
    ///
    /// - Parameters:
    ///   - pixelValues: [batch, frames, channels, height, width], normalised as the model's card
    ///     says.
    ///   - visible: the tokens that the encoder sees, nil for all; the others have no influence.
    ///   - options: additional outputs and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: the features of all tokens, or of the visible ones.
    /// - Throws: `ZooError` with code `model.input-shape-invalid` or
    ///   `model.token-selection-invalid`; `CancellationError` when the task is cancelled.
    func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection?,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> Encoding
}

extension JEPAEncoder {
    /// Checks that frames [.., height, width] have the training size.
    ///
    /// ``tokens(ofFrames:batch:)`` and the positions of a predictor assume this size.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public func requireTrainedSize(_ pixels: Shape) throws(ZooError) {
        let sizes = pixels.sizes.suffix(2)
        guard Array(sizes) == [input.height, input.width] else {
            throw ZooError(
                .inputShapeInvalid,
                "the frames are \(sizes.map(String.init).joined(separator: " by ")) pixels, which the "
                    + "predictor does not support",
                remedy: "resize the frames to \(input.height) by \(input.width) pixels"
            )
        }
    }

    /// Encodes all tokens on the shared threads; see ``encode(_:visible:options:on:)``.
    public func encode(_ pixelValues: Tensor) async throws -> Encoding {
        try await encode(pixelValues, visible: nil, options: ForwardOptions(), on: .shared)
    }

    /// Returns the predictor of masked tokens, or throws if there is none.
    ///
    /// - Throws: `ZooError` with code `model.unsupported`.
    public func requirePredictor() throws(ZooError) -> any MaskedPredictor {
        if let predictor { return predictor }
        guard ModelFamily(family)?.predictsUnderActions != true else {
            throw ZooError(
                .modelUnsupported,
                "the predictor of \(family.title) takes actions and does not predict masked tokens",
                remedy: "use 'ami-zoo predict' or 'ami-zoo plan' with a file that holds 'actions'"
            )
        }
        throw ZooError(
            .modelUnsupported,
            "this release of \(family.title) has no predictor",
            remedy: "convert the original training checkpoint, which includes the predictor"
        )
    }
}

/// The input that a model was trained on; other sizes may work too.
public struct ModelInput: Hashable, Sendable {
    /// Frames of a clip.
    public let frames: Int
    /// Colour channels.
    public let channels: Int
    /// The height in pixels.
    public let height: Int
    /// The width in pixels.
    public let width: Int
    /// The side of a patch in pixels.
    public let patch: Int
    /// Frames that one token covers.
    public let tubelet: Int
    /// The number of frames that a still image is repeated to.
    public let imageFrames: Int

    init(
        frames: Int,
        channels: Int,
        height: Int,
        width: Int,
        patch: Int,
        tubelet: Int = 1,
        imageFrames: Int = 1
    ) {
        self.frames = frames
        self.channels = channels
        self.height = height
        self.width = width
        self.patch = patch
        self.tubelet = tubelet
        self.imageFrames = imageFrames
    }
}
