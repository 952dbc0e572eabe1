// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooMedia
internal import ZooTensor

/// A split of a data set, as probes read it.
///
/// The tensor that holds the samples says what they are: `images` (U8, [samples, height, width, 3]), `frames` (U8,
/// [samples, frames, height, width, 3]) or `values` (F32, [samples, steps, channels]).
struct ProbeSplit: Sendable {
    /// What samples are, by the name of their tensor.
    enum Input: String, CaseIterable { case images, frames, values }

    /// The number of numbers of a sample that a probe on raw input takes at most.
    private static let rawLimit = 16384
    /// The bytes of raw samples that are read at once at most.
    private static let readLimit = 256 << 20

    /// What samples are.
    let input: Input
    /// What names the samples: the data set and the split.
    let data: JSONValue
    /// The shape of a sample.
    let shape: [Int]
    private let split: TensorSplit

    /// The number of samples.
    var count: Int { split.count }

    /// Opens a split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    init(_ input: Input, _ name: String, of data: EvaluationData) throws(ZooError) {
        let set = try data.dataSet()
        self.input = input
        split = try TensorSplit(try set.split(name), of: set, counting: input.rawValue)
        shape = try split.sampleShape(
            input.rawValue,
            rank: input == .values ? 2 : input == .images ? 3 : 4
        )
        self.data =
            SampleSource.dataSet(
                SampleSource.DataSet(
                    name: set.record.name,
                    version: set.record.version,
                    digest: set.digest,
                    split: name
                )
            ).json
    }

    /// A number for each sample, from a tensor F32 [samples, 1].
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func numbers(_ column: String) throws(ZooError) -> [Float] {
        try split.numbers(column, [1], 0..<count).values
    }

    /// The input of a model.
    ///
    /// - Parameters:
    ///   - samples: which samples.
    ///   - preprocessing: what the model's card says, for pictures.
    /// - Returns: [samples, frames, 3, height, width], or [samples, steps, channels].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or `media.*`.
    func pixels(_ samples: Range<Int>, _ preprocessing: Preprocessing?) throws(ZooError) -> Tensor {
        guard let preprocessing else { return try split.numbers(input.rawValue, shape, samples) }
        return try split.clips(input.rawValue, samples, preprocessing)
    }

    /// The number of numbers of a sample as it is stored.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when they are too many for a probe.
    func rawWidth() throws(ZooError) -> Int {
        let width = shape.reduce(1, *)
        guard width <= Self.rawLimit else {
            throw .dataUnsuitable(
                "a sample has \(width) numbers, and a probe on raw input takes at most \(Self.rawLimit)",
                remedy: "leave 'raw' out of 'baselines'"
            )
        }
        return width
    }

    /// The samples as they are stored: bytes over 255, or values.
    ///
    /// - Returns: [samples, numbers]; in memory if they are few, else read in each pass.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func rawRows() throws(ZooError) -> RowBlocks {
        let width = try rawWidth()
        let size = max(1, min(4096, Self.readLimit / (width * MemoryLayout<Float>.size)))
        guard count > size else { return RowBlocks(try raw(0..<count)) }
        let groups = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
        return RowBlocks(columns: width, groups: groups) { [try raw(groups[$0])] }
    }

    private func raw(_ samples: Range<Int>) throws(ZooError) -> Matrix {
        let values =
            input == .values
            ? try split.numbers(input.rawValue, shape, samples)
            : try split.bytes(input.rawValue, shape, samples)
        return values.reshaped([samples.count, try rawWidth()]).matrix
    }
}
