// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// The windows of a split: `values`, F32 [samples, steps, channels].
struct SeriesWindows: Sendable {
    /// The split.
    let split: TensorSplit
    /// The number of steps of a window.
    let steps: Int
    /// The number of channels.
    let channels: Int

    /// The number of windows.
    var count: Int { split.count }

    /// Opens a split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    init(_ name: String, of data: EvaluationData) throws(ZooError) {
        let set = try data.dataSet()
        split = try TensorSplit(try set.split(name), of: set, counting: "values")
        let sizes = try split.sampleShape("values", rank: 2)
        (steps, channels) = (sizes[0], sizes[1])
    }

    /// Some windows.
    ///
    /// - Parameter samples: which windows.
    /// - Returns: [samples, steps, channels].
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a file has other windows, or a number is
    ///   not finite.
    func values(_ samples: Range<Int>) throws(ZooError) -> Tensor {
        try split.numbers("values", [steps, channels], samples)
    }

    /// A number for each window.
    ///
    /// - Parameter column: the name of a tensor F32 [samples, 1].
    /// - Returns: the numbers, in order.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func numbers(_ column: String) throws(ZooError) -> [Float] {
        try split.numbers(column, [1], 0..<count).values
    }

    /// The series model, which takes these windows.
    ///
    /// - Parameter model: the model that is measured.
    /// - Returns: its encoder.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when it is a model of pictures, or takes other
    ///   windows; a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    func encoder(of model: EvaluatedModel) async throws -> SeriesJEPAModel {
        guard let encoder = try await model.encoder() as? SeriesJEPAModel else {
            throw ZooError.dataUnsuitable(
                "the suite measures on windows of a time series, and the model in '\(model.folder)' takes none",
                remedy: "evaluate a model of the family '\(FamilyID.seriesJEPA)'"
            )
        }
        let input = encoder.input
        guard steps == input.frames, channels == input.channels else {
            throw ZooError.dataUnsuitable(
                "the windows have \(steps) steps of \(channels) channels, and the model takes "
                    + "\(input.frames) steps of \(input.channels) channels"
            )
        }
        return encoder
    }
}
