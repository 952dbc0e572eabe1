// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Whether images and frames are turned the way they are meant to be seen.
///
/// Readers differ, so a protocol says which reading it uses:
///
/// - Upright: `transformers.image_utils.load_image` (`PIL.ImageOps.exif_transpose`, then
///   `convert("RGB")`); decord (`VideoReader::GetRotation` in dmlc/decord
///   `src/video/video_reader.cc`), with which Meta's evaluations read videos; torchcodec from 0.11
///   (meta-pytorch/torchcodec#1173); OpenCV; the `ffmpeg` program. decord and torchcodec apply
///   rotations only; like `ffmpeg`, this module applies mirroring as well.
/// - Stored: `torchvision.datasets.ImageFolder` (`Image.open(path).convert("RGB")`), with which
///   Meta's evaluations read images; PyAV and `torchvision.io.read_video`, which leave the rotation
///   to their caller.
public enum Orientation: String, Sendable, CaseIterable {
    /// As EXIF, or the display matrix of a video, says that they are to be shown.
    case upright
    /// As their rows and columns are stored.
    case stored
}

/// How stored rows and columns are rotated and mirrored to be shown.
///
/// Raw values are those of the EXIF tag Orientation (CIPA DC-008, section 4.6.4); display matrices of
/// videos have the same eight cases.
public enum EXIFOrientation: Int, Sendable, CaseIterable {
    /// Shown as stored.
    case normal = 1
    /// Left and right change places.
    case mirrored = 2
    /// Rotated by 180°.
    case rotated180 = 3
    /// Top and bottom change places.
    case flipped = 4
    /// Rows become columns.
    case transposed = 5
    /// Rotated by 90° clockwise.
    case rotated90 = 6
    /// Rows become columns, and the result is rotated by 180°.
    case transversed = 7
    /// Rotated by 270° clockwise.
    case rotated270 = 8

    /// What is done to stored pixels, in words.
    public var summary: String {
        switch self {
        case .normal: "as stored"
        case .mirrored: "mirrored left to right"
        case .rotated180: "rotated by 180°"
        case .flipped: "mirrored top to bottom"
        case .transposed: "rotated by 90° clockwise and mirrored left to right"
        case .rotated90: "rotated by 90° clockwise"
        case .transversed: "rotated by 270° clockwise and mirrored left to right"
        case .rotated270: "rotated by 270° clockwise"
        }
    }

    /// The orientation that a display matrix describes; nil for angles that are no multiples of 90°.
    ///
    /// A stored point (p, q) is shown at (a p + c q, b p + d q); ISO/IEC 14496-12, section 8.3.2.
    /// Scaling is ignored, and a matrix of zeros says nothing, as in `ffmpeg`.
    ///
    /// - Parameter matrix: nine numbers, row by row: a, b, u, c, d, v, x, y, w.
    init?(displayMatrix matrix: [Int32]) {
        precondition(matrix.count == 9, "a display matrix has 9 numbers, not \(matrix.count)")
        let signs = [matrix[0], matrix[1], matrix[3], matrix[4]].map { $0.signum() }
        switch signs {
        case [0, 0, 0, 0], [1, 0, 0, 1]: self = .normal
        case [-1, 0, 0, 1]: self = .mirrored
        case [-1, 0, 0, -1]: self = .rotated180
        case [1, 0, 0, -1]: self = .flipped
        case [0, 1, 1, 0]: self = .transposed
        case [0, 1, -1, 0]: self = .rotated90
        case [0, -1, -1, 0]: self = .transversed
        case [0, -1, 1, 0]: self = .rotated270
        default: return nil
        }
    }
}
