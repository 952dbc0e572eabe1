// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

extension Preprocessing {
    /// The clip as the input of a model: one tensor `[frames, 3, height, width]` for each view.
    ///
    /// - Throws: ``ZooError`` with code `media.too-small` when a crop does not fit into an image,
    ///   `media.too-large` when an aspect ratio makes the resized image too large.
    public func views(of clip: RGBClip) throws(ZooError) -> [Tensor] {
        var views: [[Tensor]] = Array(repeating: [], count: viewCount)
        var previous: (index: Int, tensors: [Tensor])?
        for (frame, index) in zip(clip.frames, clip.indices) {
            // Clips repeat frames; the same frame is not computed twice in a row.
            let made: [Tensor]
            if let previous, previous.index == index {
                made = previous.tensors
            } else {
                made = try self.views(of: frame)
            }
            for (view, tensor) in made.enumerated() { views[view].append(tensor) }
            previous = (index, made)
        }
        return views.map(Tensor.init(stacking:))
    }

    /// The clip as the input of a model, when there is one view: `[frames, 3, height, width]`.
    ///
    /// - Throws: as ``views(of:)-(RGBClip)``.
    public func tensor(of clip: RGBClip) throws(ZooError) -> Tensor {
        precondition(viewCount == 1, "\(viewCount) views are not one tensor")
        return try views(of: clip)[0]
    }

    /// One image as the input of a model: a tensor `[3, height, width]` for each view.
    ///
    /// - Throws: as ``views(of:)-(RGBClip)``.
    public func views(of image: RGBImage) throws(ZooError) -> [Tensor] {
        let (width, height) = try size(of: image)
        let boxes = try boxes(width: width, height: height)
        switch resampling {
        case .bytes(let resampler):
            let scaled = image.resized(width: width, height: height, by: resampler)
            return boxes.map { box in
                normalised(
                    scaled.cropped(
                        left: box.left,
                        top: box.top,
                        width: box.width,
                        height: box.height
                    )
                )
            }
        case .floats(let antialias):
            let scaled = FloatResampling.bilinear(
                image.levels,
                width: width,
                height: height,
                antialias: antialias
            )
            return boxes.map { normalised(Self.part($0, of: scaled)) }
        case .normalisedFloats(let antialias):
            let scaled = FloatResampling.bilinear(
                normalised(image),
                width: width,
                height: height,
                antialias: antialias
            )
            return boxes.map { Self.part($0, of: scaled) }
        }
    }

    private static func part(_ box: Box, of planes: Tensor) -> Tensor {
        let rows = planes.shape[1]
        let columns = planes.shape[2]
        if box == Box(left: 0, top: 0, width: columns, height: rows) { return planes }
        var part = Tensor(zeros: [3, box.height, box.width])
        planes.withValues { source in
            part.withMutableValues { target in
                for line in 0..<3 * box.height {
                    let row = line / box.height * rows + box.top + line % box.height
                    let from = row * columns + box.left
                    for x in 0..<box.width { target[line * box.width + x] = source[from + x] }
                }
            }
        }
        return part
    }
}

// MARK: - Levels

extension RGBImage {
    /// The levels of 0 to 255 as floats `[3, height, width]`.
    var levels: Tensor { planes { Float($1) } }

    /// A plane for each channel: `[3, height, width]`, with `value` of each channel and level.
    fileprivate func planes(_ value: (_ channel: Int, _ level: UInt8) -> Float) -> Tensor {
        let table = (0..<3).map { channel in (0...255).map { value(channel, UInt8($0)) } }
        var planes = Tensor(zeros: [3, height, width])
        let count = width * height
        planes.withMutableValues { target in
            let source = pixels.span
            for channel in 0..<3 {
                let values = table[channel]
                let start = channel * count
                for pixel in 0..<count {
                    target[start + pixel] = values[Int(source[pixel * 3 + channel])]
                }
            }
        }
        return planes
    }
}

extension Preprocessing {
    /// Rescaled and normalised planes of an image, in float32 as PyTorch computes.
    private func normalised(_ image: RGBImage) -> Tensor {
        image.planes { channel, level in normalised(Float(level), channel) }
    }

    private func normalised(_ planes: Tensor) -> Tensor {
        var planes = planes
        let count = planes.shape[1] * planes.shape[2]
        planes.withMutableValues { values in
            for element in 0..<3 * count {
                values[element] = normalised(values[element], element / count)
            }
        }
        return planes
    }

    private func normalised(_ level: Float, _ channel: Int) -> Float {
        // Division where the factor is 1/255, as PyTorch's `ToTensor` and Meta's code do.
        let scaled = rescale.map { $0 == 1.0 / 255 ? level / 255 : level * Float($0) } ?? level
        return (scaled - Float(mean[channel])) / Float(std[channel])
    }
}

// MARK: - Geometry

extension Preprocessing {
    /// A part of an image.
    struct Box: Equatable {
        let left: Int
        let top: Int
        let width: Int
        let height: Int
    }

    /// Limit of pixels of a resized image: resizing the short side of a strip enlarges the long one.
    private static let scaledPixels = 64 << 20

    /// The size that an image is resized to.
    private func size(of image: RGBImage) throws(ZooError) -> (width: Int, height: Int) {
        let size: (width: Int, height: Int)
        switch resize {
        case .none: size = (image.width, image.height)
        case .exact(let width, let height): size = (width, height)
        case .shortSide(let side):
            // Python's int(side * long / short): a division of doubles, then truncated.
            let long = Int(
                Double(side * max(image.width, image.height))
                    / Double(min(image.width, image.height))
            )
            size = image.width < image.height ? (side, long) : (long, side)
        }
        guard size.width <= Self.scaledPixels / size.height else {
            throw ZooError(
                .mediaTooLarge,
                "\(image.width) x \(image.height) pixels would be scaled to \(size.width) x "
                    + "\(size.height)",
                remedy: "crop the image; its sides are too different"
            )
        }
        return size
    }

    /// The parts of a resized image that are kept.
    private func boxes(width: Int, height: Int) throws(ZooError) -> [Box] {
        let boxes: [Box]
        switch crop {
        case .none: boxes = [Box(left: 0, top: 0, width: width, height: height)]
        case .centre(let columns, let rows, let rounding):
            boxes = [
                Box(
                    left: Self.middle(width - columns, rounding),
                    top: Self.middle(height - rows, rounding),
                    width: columns,
                    height: rows
                )
            ]
        case .views(let side, let count):
            let step = (max(width, height) - side) / max(count - 1, 1)
            boxes = (0..<count).map { view in
                height > width
                    ? Box(left: 0, top: view * step, width: min(side, width), height: side)
                    : Box(left: view * step, top: 0, width: side, height: min(side, height))
            }
        }
        for box in boxes where box.width > width || box.height > height {
            throw ZooError(
                .mediaTooSmall,
                "\(box.width) x \(box.height) pixels cannot be cropped from \(width) x \(height)",
                remedy: "give a larger image, or use a preprocessing that resizes it"
            )
        }
        return boxes
    }

    /// Half of `rest`, rounded.
    private static func middle(_ rest: Int, _ rounding: Rounding) -> Int {
        switch rounding {
        case .down: rest / 2
        case .halfToEven: Int((Double(rest) / 2).rounded(.toNearestOrEven))
        }
    }
}
