// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// A tensor of the release and the upstream elements that it consists of, in order.
struct ReleasedTensor: Sendable {
    /// A range of elements of an upstream tensor, in row-major order.
    struct Piece: Sendable {
        let view: TensorView
        let elements: Range<Int>
    }

    let name: String
    let shape: Shape
    /// The dtype of the upstream elements.
    let source: DType
    /// The dtype of the elements in the release.
    let target: DType
    let pieces: [Piece]

    /// Passes the bytes of the released tensor to `body`, converted if the dtypes differ.
    ///
    /// - Parameters:
    ///   - cancellation: stops the reading.
    ///   - body: receives a chunk.
    /// - Returns: the largest change of an element.
    /// - Throws: ``ZooError`` with code `convert.overflow` or `io.*`, `CancellationError`, or what
    ///   `body` throws.
    @discardableResult
    func forEachChunk(
        _ cancellation: Cancellation,
        _ body: (RawSpan) throws -> Void
    ) throws -> Double {
        guard source != target, var conversion = ElementConversion(from: source, to: target) else {
            for piece in pieces {
                try piece.view.forEachChunk(of: piece.elements, cancellation, body)
            }
            return 0
        }
        for piece in pieces {
            try piece.view.forEachChunk(of: piece.elements, cancellation) { span in
                try conversion.convert(span, of: name, body)
            }
        }
        return conversion.largestChange
    }

    /// The pieces of the concatenated `views` that hold the elements `wanted`.
    static func pieces(_ views: [TensorView], _ wanted: Range<Int>) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        for view in views {
            let range = (start..<start + view.shape.elementCount).clamped(to: wanted)
            if !range.isEmpty {
                let elements = range.lowerBound - start..<range.upperBound - start
                pieces.append(Piece(view: view, elements: elements))
            }
            start += view.shape.elementCount
        }
        return pieces
    }

    /// The digest of the released bytes.
    func digest(_ cancellation: Cancellation) throws -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        try forEachChunk(cancellation) { hasher.update($0) }
        return hasher.finish()
    }
}

extension ConversionPlan {
    /// The released tensors of a part.
    ///
    /// - Parameters:
    ///   - part: one of the plan's parts, which fits `sources`.
    ///   - sources: the upstream files.
    ///   - dtype: the dtype of floating-point tensors; nil keeps it.
    /// - Returns: the tensors, in the order of the part's rules.
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch` if tensors to stack have
    ///   different dtypes, or `convert.option-invalid` for a dtype that cannot be converted.
    func tensors(
        of part: Part,
        _ sources: [Source: UpstreamTensors],
        as dtype: DType?
    ) throws(ZooError) -> [ReleasedTensor] {
        guard let upstream = sources[part.source], let group = upstream.groups[part.group] else {
            preconditionFailure("a plan that was not checked")
        }
        var released: [ReleasedTensor] = []
        for rule in part.rules {
            let views = rule.upstream.compactMap { wanted in
                group.tensors[wanted.name].flatMap { upstream.checkpoint.view($0.name) }
            }
            guard let source = views.first?.dtype, views.allSatisfy({ $0.dtype == source }),
                source != .c128
            else {
                throw ZooError(
                    .conversionTensorsMismatch,
                    "'\(rule.upstream[0].name)' and the tensors stacked with it have different "
                        + "dtypes, or a dtype that safetensors does not support"
                )
            }
            guard dtype == nil || !ElementConversion.isOtherSmallFloat(source) else {
                throw ZooError(
                    .conversionOptionInvalid,
                    "'\(rule.upstream[0].name)' is \(source.rawValue), which --dtype cannot convert",
                    remedy: "leave out --dtype, which keeps it, or convert it in PyTorch first"
                )
            }
            let changes = dtype != nil && ElementConversion.isFloatingPoint(source)
            var start = 0
            for wanted in rule.released {
                guard let shape = Shape(checking: wanted.shape) else { continue }
                released.append(
                    ReleasedTensor(
                        name: wanted.name,
                        shape: shape,
                        source: source,
                        target: changes ? dtype ?? source : source,
                        pieces: ReleasedTensor.pieces(views, start..<start + shape.elementCount)
                    )
                )
                start += shape.elementCount
            }
        }
        return released
    }
}
