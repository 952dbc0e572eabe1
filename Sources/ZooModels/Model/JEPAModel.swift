// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A model that encodes observations and predicts representations of what it does not see.
public protocol JEPAModel: Sendable {
    /// The family it belongs to.
    var family: FamilyID { get }

    /// What ``encode(_:visible:options:on:)`` takes.
    var input: ModelInput { get }

    /// The number of elements of a token's features.
    var width: Int { get }

    /// The tokens that cover some frames, for every sample of a batch.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` when the frames do not
    ///   begin and end where tokens do.
    func tokens(ofFrames frames: Range<Int>, batch: Int) throws(ZooError) -> TokenSelection

    /// Encodes videos.
    ///
    /// - Parameters:
    ///   - pixelValues: [batch, frames, channels, height, width], normalised as the model's card
    ///     says.
    ///   - visible: the tokens the encoder sees; nil for all. What it does not see has no influence.
    ///   - options: what to do besides.
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

    /// Predicts the features of tokens from the features of others.
    ///
    /// - Parameters:
    ///   - targets: the tokens to predict.
    ///   - context: what is known; from ``Encoding/tokens``, whole or selected from.
    ///   - options: what to do besides.
    ///   - pool: the threads to compute on.
    /// - Returns: features of the targets, to be compared with the encoder's.
    /// - Throws: `ZooError` with code `model.input-shape-invalid` or
    ///   `model.token-selection-invalid`; `CancellationError` when the task is cancelled.
    func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> TokenFeatures

    /// What predictions are compared with; see the default implementation.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` for predictors that were trained on the
    ///   features of another model.
    func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures
}

extension JEPAModel {
    /// Checks that frames [.., height, width] are those that ``tokens(ofFrames:batch:)`` counts the tokens
    /// of, and that the predictor knows the places of.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public func requireTrainedSize(_ pixels: Shape) throws(ZooError) {
        let sizes = pixels.sizes.suffix(2)
        guard Array(sizes) == [input.height, input.width] else {
            throw ZooError(
                .inputShapeInvalid,
                "frames of \(sizes.map(String.init).joined(separator: " by ")) pixels cannot be "
                    + "predicted from",
                remedy: "the predictor knows frames of \(input.height) by \(input.width)"
            )
        }
    }

    /// Encodes whole videos on the shared threads; see ``encode(_:visible:options:on:)``.
    public func encode(_ pixelValues: Tensor) async throws -> Encoding {
        try await encode(pixelValues, visible: nil, options: ForwardOptions(), on: .shared)
    }

    /// Predicts on the shared threads; see ``predict(_:from:options:on:)``.
    public func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures
    ) async throws -> TokenFeatures {
        try await predict(targets, from: context, options: ForwardOptions(), on: .shared)
    }
}

/// The input a model was made for; other sizes may work.
public struct ModelInput: Hashable, Sendable {
    /// Frames of a clip.
    public let frames: Int
    /// Colour channels.
    public let channels: Int
    /// Pixels from top to bottom.
    public let height: Int
    /// Pixels from left to right.
    public let width: Int
    /// Pixels of a patch, each way: a token covers so many rows and columns.
    public let patch: Int
    /// Frames that one token covers.
    public let tubelet: Int
    /// Frames that a still image is repeated to.
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
