// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// The protocol of a surprise measurement: the windows of a video, and their context frames.
public struct SurpriseProtocol: Hashable, Sendable {
    /// Frames of a window.
    public let window: Int
    /// Frames between the starts of two windows.
    public let stride: Int
    /// The numbers of context frames of a window; each gives one measurement.
    public let contexts: [Int]
    /// The index of the mask token; see ``ForwardOptions/maskIndex``.
    public let maskIndex: Int

    /// The stride of facebookresearch/jepa-intuitive-physics (`stride_sliding_window`).
    public static let usualStride = 2

    /// Creates a protocol.
    ///
    /// - Throws: `ZooError` with code `model.surprise-protocol-invalid` if a number is not
    ///   positive, or a context covers the whole window.
    public init(
        window: Int,
        stride: Int = usualStride,
        contexts: [Int],
        maskIndex: Int = 1
    ) throws(ZooError) {
        guard window >= 2, stride >= 1, !contexts.isEmpty, maskIndex >= 0 else {
            throw Self.invalid(
                "window \(window), stride \(stride) or contexts \(contexts) are out of range"
            )
        }
        if let context = contexts.first(where: { $0 < 1 || $0 >= window }) {
            throw Self.invalid("a context of \(context) frames does not fit a window of \(window)")
        }
        self.window = window
        self.stride = stride
        self.contexts = contexts
        self.maskIndex = maskIndex
    }

    /// Returns the first frame of each window; all windows lie inside the video.
    ///
    /// - Throws: `ZooError` with code `model.surprise-protocol-invalid` if the video is shorter
    ///   than a window.
    public func starts(frames: Int) throws(ZooError) -> [Int] {
        guard frames >= window else {
            throw Self.invalid("the video has \(frames) frames, fewer than a window of \(window)")
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
