// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension RGBImage {
    /// The image as it is to be shown when this is how it is stored.
    func turned(_ orientation: EXIFOrientation) -> RGBImage {
        let (column, row) = (3, 3 * width)
        let (lastColumn, lastRow) = (column * (width - 1), row * (height - 1))
        // Where the first pixel of the result is stored, and how far it is from there to the next
        // pixel of its row and of its column, in bytes.
        let (start, right, down) =
            switch orientation {
            case .normal: (0, column, row)
            case .mirrored: (lastColumn, -column, row)
            case .rotated180: (lastRow + lastColumn, -column, -row)
            case .flipped: (lastRow, column, -row)
            case .transposed: (0, row, column)
            case .rotated90: (lastRow, -row, column)
            case .transversed: (lastRow + lastColumn, -row, -column)
            case .rotated270: (lastColumn, row, -column)
            }
        let isCrossed = orientation.rawValue >= EXIFOrientation.transposed.rawValue
        let size = isCrossed ? (width: height, height: width) : (width: width, height: height)
        let turned = unsafe [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
            var next = 0
            for y in 0..<size.height {
                var source = start + y * down
                for _ in 0..<size.width {
                    for channel in 0..<3 {
                        unsafe target.initializeElement(at: next, to: pixels[source + channel])
                        next += 1
                    }
                    source += right
                }
            }
            count = next
        }
        return RGBImage(width: size.width, height: size.height, pixels: turned)
    }
}
