// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// Inputs of one shape that are encoded together: small ones keep the threads busy better so.
struct InputBatch {
    /// Elements of a batch of more than one input: those of 16 images of 256 × 256.
    private static let limit = 16 * 3 * 256 * 256

    private(set) var clips: [InputClip] = []
    private var elements = 0

    /// Whether another input still fits.
    func takes(_ clip: InputClip) -> Bool {
        guard let first = clips.first else { return true }
        return first.pixelValues.shape.sizes.dropFirst()
            == clip.pixelValues.shape.sizes.dropFirst()
            && elements + clip.pixelValues.shape.elementCount <= Self.limit
    }

    mutating func append(_ clip: InputClip) {
        clips.append(clip)
        elements += clip.pixelValues.shape.elementCount
    }

    /// The names of the rows that come out: files that hold several clips give several.
    var names: [String] {
        clips.flatMap { Array(repeating: $0.name, count: $0.pixelValues.shape[0]) }
    }

    /// The features of all tokens, [rows, tokens, width].
    func encode(
        _ model: any JEPAModel,
        _ view: ComputeProgress,
        on pool: ComputePool
    ) async throws -> Tensor {
        let features = try await model.encode(
            Tensor(joining: clips.map(\.pixelValues)),
            visible: nil,
            options: view.forward(),
            on: pool
        ).tokens.values
        for _ in clips { view.advance() }
        return features
    }
}

/// Features of one batch after another, to be written as one tensor.
struct FeatureRows {
    private let isPooled: Bool
    private var parts: [Tensor] = []
    private(set) var names: [String] = []

    init(isPooled: Bool) { self.isPooled = isPooled }

    /// Takes [rows, tokens, width] of a batch.
    ///
    /// - Throws: ``ZooError`` with code `input.shapes-differ` when there are other tokens than before.
    mutating func append(_ features: Tensor, of batch: InputBatch) throws(ZooError) {
        let part = isPooled ? features.meanOverTokens : features
        if let first = parts.first,
            first.shape.sizes.dropFirst() != part.shape.sizes.dropFirst()
        {
            throw ZooError(
                .inputShapesDiffer,
                "'\(batch.names[0])' gives features of shape \(part.shape), and '\(names[0])' of "
                    + "\(first.shape)",
                remedy: "embed inputs of different sizes one by one, or with '--pool mean'"
            )
        }
        parts.append(part)
        names += batch.names
    }

    /// All rows.
    func joined() -> Tensor { Tensor(joining: parts) }
}

extension Tensor {
    /// [batch, tokens, width] to [batch, width].
    fileprivate var meanOverTokens: Tensor {
        let (batch, tokens, width) = (shape[0], shape[1], shape[2])
        var sums = [Double](repeating: 0, count: batch * width)
        withValues { source in
            for row in 0..<batch * tokens {
                let target = row / tokens * width
                for column in 0..<width {
                    sums[target + column] += Double(source[row * width + column])
                }
            }
        }
        return Tensor(
            shape: Shape([batch, width]),
            values: sums.map { Float($0 / Double(tokens)) }
        )
    }
}
