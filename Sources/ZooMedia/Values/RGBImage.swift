// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An image of packed 8-bit red, green and blue.
public struct RGBImage: Sendable, Equatable {
    /// Columns.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `height` rows of `width` pixels of 3 bytes.
    public let pixels: [UInt8]

    /// An image of `pixels`, of which there must be `width * height * 3`.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(
            width > 0 && height > 0 && pixels.count == width * height * 3,
            "\(pixels.count) bytes are not \(width) x \(height) pixels"
        )
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The part of the image that begins at a column and a row.
    func cropped(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
        precondition(
            left >= 0 && top >= 0 && left + width <= self.width && top + height <= self.height,
            "\(width) x \(height) at (\(left), \(top)) of \(self.width) x \(self.height)"
        )
        if width == self.width && height == self.height { return self }
        var part: [UInt8] = []
        part.reserveCapacity(width * height * 3)
        for row in top..<top + height {
            let start = (row * self.width + left) * 3
            part += pixels[start..<start + width * 3]
        }
        return RGBImage(width: width, height: height, pixels: part)
    }
}
