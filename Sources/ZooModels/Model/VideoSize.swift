// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The size of the clips that a model was trained on, and of its tubelets and patches.
struct VideoSize: Hashable, Sendable {
    let frames: Int
    let side: Int
    let channels: Int
    let tubelet: Int
    let patch: Int

    /// Creates sizes; `side` must be at least `patch`.
    init(frames: Int, side: Int, channels: Int, tubelet: Int, patch: Int) {
        self.frames = frames
        self.side = side
        self.channels = channels
        self.tubelet = tubelet
        self.patch = patch
    }

    /// Reads `frames_per_clip`, `crop_size`, `in_chans`, `tubelet_size` and `patch_size`.
    ///
    /// - Throws: `ZooError` with code `format.field-invalid`.
    init(_ object: JSONObject) throws(ZooError) {
        frames = try object.integer("frames_per_clip", in: 1...4096)
        side = try object.integer("crop_size", in: 1...8192)
        channels = try object.integer("in_chans", in: 1...64)
        tubelet = try object.integer("tubelet_size", in: 1...64)
        patch = try object.integer("patch_size", in: 1...256)
        guard side >= patch, frames >= tubelet else {
            throw object.invalid("crop_size", "and 'frames_per_clip' must hold at least one patch")
        }
    }

    /// The token grid of a whole clip.
    var tokens: GridSize {
        GridSize(frames: frames / tubelet, rows: side / patch, columns: side / patch)
    }

    /// The training input.
    ///
    /// Images are repeated to 16 frames, as in the evaluations of facebookresearch/jepa and vjepa2.
    var input: ModelInput {
        ModelInput(
            frames: frames,
            channels: channels,
            height: side,
            width: side,
            patch: patch,
            tubelet: tubelet,
            imageFrames: min(16, frames)
        )
    }

    /// Returns the tokens that cover some frames of a clip of the training size.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid`.
    func tokens(ofFrames frames: Range<Int>, batch: Int) throws(ZooError) -> TokenSelection {
        guard frames.lowerBound >= 0, !frames.isEmpty, batch >= 1,
            frames.lowerBound % tubelet == 0, frames.upperBound % tubelet == 0
        else {
            throw ZooError(
                .tokenSelectionInvalid,
                "frames \(frames.lowerBound) to \(frames.upperBound) are not whole tubelets",
                remedy: "choose a multiple of \(tubelet) frames"
            )
        }
        let perFrame = tokens.rows * tokens.columns
        let (first, last) = (frames.lowerBound / tubelet, frames.upperBound / tubelet)
        guard last <= TokenSelection.largestID / perFrame else {
            throw ZooError(
                .tokenSelectionInvalid,
                "frames up to \(frames.upperBound) with \(perFrame) tokens each have too many tokens"
            )
        }
        let ids = Array(first * perFrame..<last * perFrame)
        return try TokenSelection(Array(repeating: ids, count: batch))
    }
}
