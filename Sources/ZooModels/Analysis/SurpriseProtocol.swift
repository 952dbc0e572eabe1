// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// The protocol of a surprise measurement: windows of a video, and how much of each the model sees.
public struct SurpriseProtocol: Hashable, Sendable {
    /// Frames of a window.
    public let window: Int
    /// Frames between the starts of two windows.
    public let stride: Int
    /// How many frames of a window the model sees before it predicts the others; several give a
    /// measurement each.
    public let contexts: [Int]
    /// The index of the mask token; see ``ForwardOptions/maskIndex``.
    public let maskIndex: Int

    /// The stride of facebookresearch/jepa-intuitive-physics (`stride_sliding_window`).
    public static let usualStride = 2

    /// Checks a protocol.
    ///
    /// - Throws: `ZooError` with code `model.surprise-protocol-invalid` when a number is not
    ///   positive, or a context leaves nothing of the window to predict.
    public init(
        window: Int,
        stride: Int = usualStride,
        contexts: [Int],
        maskIndex: Int = 1
    ) throws(ZooError) {
        guard window >= 2, stride >= 1, !contexts.isEmpty, maskIndex >= 0 else {
            throw Self.invalid(
                "a window of \(window) frames, moved by \(stride), seen \(contexts) frames at a time"
            )
        }
        if let context = contexts.first(where: { $0 < 1 || $0 >= window }) {
            throw Self.invalid("\(context) frames are seen of a window of \(window)")
        }
        self.window = window
        self.stride = stride
        self.contexts = contexts
        self.maskIndex = maskIndex
    }

    /// The first frames of the windows of a video; all of them lie inside it.
    ///
    /// - Throws: `ZooError` with code `model.surprise-protocol-invalid` when the video is shorter
    ///   than a window.
    public func starts(frames: Int) throws(ZooError) -> [Int] {
        guard frames >= window else {
            throw Self.invalid("the video has \(frames) frames, and a window \(window)")
        }
        return Array(Swift.stride(from: 0, through: frames - window, by: stride))
    }

    private static func invalid(_ what: String) -> ZooError {
        ZooError(
            .surpriseProtocolInvalid,
            "surprise cannot be measured: \(what)",
            remedy: "choose a window no longer than the video, and contexts shorter than the window"
        )
    }
}
