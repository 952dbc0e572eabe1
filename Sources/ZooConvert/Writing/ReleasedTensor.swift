// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// A tensor of the release and the upstream elements that make it, in order.
struct ReleasedTensor: Sendable {
    /// Elements of an upstream tensor, counted in row-major order.
    struct Piece: Sendable {
        let view: TensorView
        let elements: Range<Int>
    }

    let name: String
    let shape: Shape
    /// The type of the elements upstream.
    let source: DType
    /// The type of the elements in the release.
    let target: DType
    let pieces: [Piece]

    /// Hands out the bytes of the release, converted where the types differ.
    ///
    /// - Parameters:
    ///   - cancellation: ends the reading.
    ///   - body: takes a piece.
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

    /// The parts of `views`, one after the other, that hold some elements of all.
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

    /// The digest of those bytes.
    func digest(_ cancellation: Cancellation) throws -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        try forEachChunk(cancellation) { hasher.update($0) }
        return hasher.finish()
    }
}

extension ConversionPlan {
    /// The tensors that a part makes.
    ///
    /// - Parameters:
    ///   - part: one of the plan's parts, which fits `sources`.
    ///   - sources: the upstream files.
    ///   - dtype: the element type of floating-point tensors; nil keeps it.
    /// - Returns: the tensors, in the order of the part's rules.
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch` when tensors that are to become
    ///   one have different types.
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
                    "'\(rule.upstream[0].name)' and its neighbours have different element types, "
                        + "or one that safetensors does not have"
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
