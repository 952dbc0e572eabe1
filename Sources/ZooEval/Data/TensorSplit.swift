// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooMedia
internal import ZooTensor

/// A split in safetensors files: tensors whose first dimension counts samples, over all files in order.
struct TensorSplit: Sendable {
    private struct Part {
        let checkpoint: Checkpoint
        let first: Int
        let count: Int
    }

    private let name: String
    private let parts: [Part]
    /// The number of samples.
    let count: Int

    /// Opens the files of a split.
    ///
    /// - Parameters:
    ///   - split: the split; each of its files is a safetensors file.
    ///   - data: the data set.
    ///   - counted: the name of the tensor whose first dimension is the number of samples.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a file lacks the tensor, or there
    ///   are not as many samples as the record says; a `checkpoint.*` or `io.*` code.
    init(_ split: DataSetRecord.Split, of data: EvaluationDataSet, counting counted: String)
        throws(ZooError)
    {
        name = "\(data.record.name), split '\(split.name)'"
        var parts: [Part] = []
        var total = 0
        for path in split.files {
            let checkpoint = try Checkpoint(opening: "\(data.folder)/\(path)")
            guard let tensor = checkpoint[counted], tensor.shape.rank > 0, tensor.shape[0] > 0
            else {
                throw .dataUnsuitable(
                    "'\(path)' of \(name) has no samples in a tensor '\(counted)'"
                )
            }
            parts.append(Part(checkpoint: checkpoint, first: total, count: tensor.shape[0]))
            total += tensor.shape[0]
        }
        guard total == split.count else {
            throw .dataUnsuitable(
                "\(name) holds \(total) samples, and its record says \(split.count)"
            )
        }
        self.parts = parts
        count = total
    }

    /// Opens one file that is a split of its own.
    ///
    /// - Parameters:
    ///   - path: a safetensors file.
    ///   - name: what to call it in messages.
    ///   - counted: the name of the tensor whose first dimension is the number of samples.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the file lacks the tensor; a
    ///   `checkpoint.*` or `io.*` code.
    init(file path: String, named name: String, counting counted: String) throws(ZooError) {
        self.name = name
        let checkpoint = try Checkpoint(opening: path)
        guard let tensor = checkpoint[counted], tensor.shape.rank > 0, tensor.shape[0] > 0 else {
            throw .dataUnsuitable("\(name) has no samples in a tensor '\(counted)'")
        }
        count = tensor.shape[0]
        parts = [Part(checkpoint: checkpoint, first: 0, count: count)]
    }

    /// Samples of a tensor of numbers.
    ///
    /// - Parameters:
    ///   - tensor: the name.
    ///   - shape: the shape of one sample.
    ///   - samples: which samples.
    /// - Returns: [samples, shape…].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a file has no such tensor, or a
    ///   number is not finite.
    func numbers(_ tensor: String, _ shape: [Int], _ samples: Range<Int>) throws(ZooError) -> Tensor
    {
        var values: [Float] = []
        for (part, rows) in pieces(of: samples) {
            let stored = try stored(tensor, part, shape: shape, dtype: .f32)
            values += stored.rows(rows).tensor.values
        }
        guard values.allSatisfy(\.isFinite) else {
            throw .dataUnsuitable("'\(tensor)' of \(name) holds numbers that are not finite")
        }
        return Tensor(shape: Shape([samples.count] + shape), values: values)
    }

    /// The shape of one sample of a tensor.
    ///
    /// - Parameters:
    ///   - tensor: the name of a tensor [samples, …].
    ///   - rank: the number of dimensions of a sample.
    /// - Returns: the sizes, those of the first file; none is 0.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the first file has no such tensor.
    func sampleShape(_ tensor: String, rank: Int) throws(ZooError) -> [Int] {
        guard let shape = parts[0].checkpoint[tensor]?.shape, shape.rank == rank + 1,
            shape.elementCount > 0
        else {
            throw .dataUnsuitable("\(name) has no '\(tensor)' with \(rank) dimensions of a sample")
        }
        return Array(shape.sizes.dropFirst())
    }

    /// Samples of a tensor of bytes, over 255.
    ///
    /// - Parameters:
    ///   - tensor: the name.
    ///   - shape: the shape of one sample.
    ///   - samples: which samples.
    /// - Returns: [samples, shape…].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a file has no such tensor.
    func bytes(_ tensor: String, _ shape: [Int], _ samples: Range<Int>) throws(ZooError) -> Tensor {
        var values: [Float] = []
        for (part, rows) in pieces(of: samples) {
            let stored = try stored(tensor, part, shape: shape, dtype: .u8)
            values += stored.rows(rows).withBytes { span in
                unsafe span.withUnsafeBytes { unsafe $0.map { Float($0) / 255 } }
            }
        }
        return Tensor(shape: Shape([samples.count] + shape), values: values)
    }

    /// The number of frames, the height and the width of clips.
    ///
    /// - Parameter tensor: the name of a U8 tensor [samples, frames, height, width, 3], or of still images
    ///   [samples, height, width, 3].
    /// - Returns: the sizes, those of the first file.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the first file has no such tensor.
    func clipSize(_ tensor: String) throws(ZooError) -> (frames: Int, height: Int, width: Int) {
        guard let shape = parts[0].checkpoint[tensor]?.shape, shape.rank == 4 || shape.rank == 5,
            shape.elementCount > 0
        else {
            throw .dataUnsuitable("\(name) has no '\(tensor)' [samples, frames, height, width, 3]")
        }
        return (shape.rank == 4 ? 1 : shape[1], shape[shape.rank - 3], shape[shape.rank - 2])
    }

    /// Clips, or still images as clips of one frame, as the input of a model.
    ///
    /// - Parameters:
    ///   - tensor: the name of a U8 tensor as for ``clipSize(_:)``, RGB.
    ///   - samples: which samples.
    ///   - preprocessing: what the model's card says; one view.
    /// - Returns: [samples, frames, 3, height, width].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or `media.*`.
    func clips(
        _ tensor: String,
        _ samples: Range<Int>,
        _ preprocessing: Preprocessing
    ) throws(ZooError) -> Tensor {
        let (frames, height, width) = try clipSize(tensor)
        let isStill = parts[0].checkpoint[tensor]?.shape.rank == 4
        var clips: [Tensor] = []
        for (part, rows) in pieces(of: samples) {
            let stored = try stored(
                tensor,
                part,
                shape: (isStill ? [] : [frames]) + [height, width, 3],
                dtype: .u8
            )
            for row in rows {
                let bytes = stored.rows(row..<row + 1).withBytes { span in
                    unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
                }
                let size = height * width * 3
                let images = (0..<frames).map { frame in
                    RGBImage(
                        width: width,
                        height: height,
                        pixels: Array(bytes[frame * size..<(frame + 1) * size])
                    )
                }
                let clip = RGBClip(frames: images, indices: Array(0..<frames))
                clips.append(try preprocessing.tensor(of: clip))
            }
        }
        return Tensor(stacking: clips)
    }

    private func stored(
        _ tensor: String,
        _ part: Part,
        shape: [Int],
        dtype: DType
    ) throws(ZooError) -> StoredTensor {
        guard let stored = part.checkpoint[tensor], stored.dtype == dtype,
            stored.shape == Shape([part.count] + shape)
        else {
            throw .dataUnsuitable(
                "'\(part.checkpoint.path)' of \(name) has no \(dtype.rawValue) tensor '\(tensor)' of shape "
                    + "\(Shape([part.count] + shape))"
            )
        }
        return stored
    }

    /// The files that hold samples, with the rows in each.
    private func pieces(of samples: Range<Int>) -> [(Part, Range<Int>)] {
        precondition(samples.lowerBound >= 0 && samples.upperBound <= count, "samples \(samples)")
        return parts.compactMap { part in
            let rows = samples.clamped(to: part.first..<part.first + part.count)
            return rows.isEmpty
                ? nil : (part, rows.lowerBound - part.first..<rows.upperBound - part.first)
        }
    }
}
