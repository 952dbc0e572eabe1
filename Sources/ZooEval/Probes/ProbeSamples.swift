// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// The labelled samples of a probe: a split to fit it on, then one to measure it on.
///
/// The tensor that holds the samples says what they are: `images` (U8, [samples, height, width, 3]), `frames` (U8,
/// [samples, frames, height, width, 3]) or `values` (F32, [samples, steps, channels]).
struct ProbeSamples: LabelledSamples {
    /// What samples are, by the name of their tensor.
    enum Input: String, CaseIterable { case images, frames, values }

    /// The number of numbers of a sample that a probe on raw input takes at most.
    private static let rawLimit = 16384

    /// What samples are.
    let input: Input
    private let fit: TensorSplit
    private let measured: TensorSplit
    private let shape: [Int]

    /// The number of samples.
    var count: Int { fit.count + measured.count }
    var fitted: Range<Int> { 0..<fit.count }
    var tested: Range<Int> { fit.count..<count }

    /// Opens two splits.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    init(
        _ input: Input,
        fit: String,
        measured: String,
        of data: EvaluationData
    ) throws(ZooError) {
        try Self.requireApart(fit, measured)
        let set = try data.dataSet()
        self.input = input
        self.fit = try TensorSplit(try set.split(fit), of: set, counting: input.rawValue)
        self.measured = try TensorSplit(try set.split(measured), of: set, counting: input.rawValue)
        let rank = input == .values ? 2 : input == .images ? 3 : 4
        shape = try self.fit.sampleShape(input.rawValue, rank: rank)
        guard shape == (try self.measured.sampleShape(input.rawValue, rank: rank)) else {
            throw .dataUnsuitable(
                "the samples of the splits '\(fit)' and '\(measured)' differ in their sizes"
            )
        }
    }

    /// Checks that a probe is measured on another split than the one that it is fitted on.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    static func requireApart(_ fit: String, _ measured: String) throws(ZooError) {
        guard fit != measured else {
            throw .dataUnsuitable(
                "the probe would be measured on the split '\(fit)' that it is fitted on",
                remedy: "name another split in 'fit'"
            )
        }
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

    /// A number for each sample, from a tensor F32 [samples, 1].
    func numbers(_ column: String) throws(ZooError) -> (fit: [Float], measured: [Float]) {
        (
            try fit.numbers(column, [1], 0..<fit.count).values,
            try measured.numbers(column, [1], 0..<measured.count).values
        )
    }

    /// The input of a model.
    ///
    /// - Parameters:
    ///   - samples: which samples.
    ///   - preprocessing: what the model's card says, for pictures.
    /// - Returns: [samples, frames, 3, height, width], or [samples, steps, channels].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or `media.*`.
    func pixels(_ samples: Range<Int>, _ preprocessing: Preprocessing?) throws(ZooError) -> Tensor {
        try joined(samples) { (split, rows) throws(ZooError) in
            guard let preprocessing else {
                return try split.numbers(input.rawValue, shape, rows)
            }
            return try split.clips(input.rawValue, rows, preprocessing)
        }
    }

    /// The numbers of samples as they are stored: bytes over 255, or values.
    ///
    /// - Returns: [samples, numbers].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func raw(_ samples: Range<Int>) throws(ZooError) -> Tensor {
        let width = try rawWidth()
        return try joined(samples) { (split, rows) throws(ZooError) in
            let values =
                input == .values
                ? try split.numbers(input.rawValue, shape, rows)
                : try split.bytes(input.rawValue, shape, rows)
            return values.reshaped([rows.count, width])
        }
    }

    private func joined(
        _ samples: Range<Int>,
        _ read: (TensorSplit, Range<Int>) throws(ZooError) -> Tensor
    ) throws(ZooError) -> Tensor {
        var parts: [Tensor] = []
        for (split, all) in [(fit, fitted), (measured, tested)] {
            let rows = samples.clamped(to: all)
            guard !rows.isEmpty else { continue }
            parts.append(
                try read(split, rows.lowerBound - all.lowerBound..<rows.upperBound - all.lowerBound)
            )
        }
        return Tensor(joining: parts)
    }
}
