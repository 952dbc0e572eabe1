// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How images of 8 bits are resized; four libraries do it in four ways, and published numbers
/// depend on which.
public enum Resampler: String, Sendable, CaseIterable {
    /// `PIL.Image.resize(size, BILINEAR)`: antialiased; equal to Pillow before 13 in every bit.
    ///
    /// Pillow 13 scales columns before rows when the height shrinks much more than the width
    /// (python-pillow/Pillow#9549); where the aspect is kept it is equal too.
    case pillowBilinear = "pillow-bilinear"
    /// `PIL.Image.resize(size, BICUBIC)`: antialiased, a = −0.5; equal to Pillow before 13 in every bit.
    case pillowBicubic = "pillow-bicubic"
    /// `cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)`: no antialias; equal to OpenCV in
    /// every bit.
    case openCVLinear = "opencv-linear"
    /// `torchvision.transforms.v2.functional.resize` of a uint8 tensor, bilinear with antialias;
    /// equal to PyTorch's integer kernel, which runs where the processor has AVX2.
    case torchvisionBilinear = "torchvision-bilinear"
    /// The same, bicubic.
    case torchvisionBicubic = "torchvision-bicubic"
}

extension RGBImage {
    /// The image resized to `width` columns and `height` rows.
    public func resized(width: Int, height: Int, by resampler: Resampler) -> RGBImage {
        precondition(width > 0 && height > 0, "an image cannot have \(width) x \(height) pixels")
        if width == self.width && height == self.height { return self }
        return switch resampler {
        case .pillowBilinear: antialiased(width, height, .triangle, precision: { _ in 22 })
        case .pillowBicubic: antialiased(width, height, .cubic, precision: { _ in 22 })
        case .torchvisionBilinear:
            antialiased(width, height, .triangle, precision: AntialiasTaps.precisionOfTorch)
        case .torchvisionBicubic:
            antialiased(width, height, .cubic, precision: AntialiasTaps.precisionOfTorch)
        case .openCVLinear: OpenCVLinear.resized(self, width: width, height: height)
        }
    }
}
