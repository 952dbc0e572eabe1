// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// The position encoding of a transformer.
enum PositionCoding: Sendable {
    /// A row of a table is added to each token before the first block.
    case table(PositionTable)
    /// Queries and keys of every block are rotated by positions in a grid.
    case rotary(RotaryEmbedding3D, RotaryGrid)

    /// The grid for rotary positions.
    struct RotaryGrid: Sendable {
        var grid: TokenGrid
        /// Whether the grid follows the input, or is the same for every input.
        var followsInput = false
        /// The position of the last row and column, to which positions are scaled; nil for no
        /// scaling.
        var lastPlace: Float?
    }

    /// Returns the encoding for inputs of a given size.
    func fitted(to sizes: GridSize) -> PositionCoding {
        switch self {
        case .table(let table): return .table(table.interpolated(to: sizes))
        case .rotary(let embedding, var grid):
            guard grid.followsInput else { return self }
            grid.grid = TokenGrid(rows: sizes.rows, columns: sizes.columns)
            return .rotary(embedding, grid)
        }
    }

    /// Returns the rotation tables: none, one for all samples, or one per sample.
    func rotations(for selection: TokenSelection) -> [Rotation] {
        guard case .rotary(let embedding, let places) = self else { return [] }
        let isUniform = selection.ids.allSatisfy { $0 == selection.ids[0] }
        func scale(_ count: Int) -> Float { places.lastPlace.map { $0 / Float(count - 1) } ?? 1 }
        return selection.ids.prefix(isUniform ? 1 : selection.batch).map {
            embedding.rotation(
                for: $0,
                in: places.grid,
                rowScale: scale(places.grid.rows),
                columnScale: scale(places.grid.columns)
            )
        }
    }

    /// Adds the rows of a table to tokens [tokens, width] of one sample.
    func add(to tokens: Matrix, ids: ArraySlice<Int>) {
        guard case .table(let table) = self else { return }
        for (row, id) in ids.enumerated() {
            tokens.rows(row..<row + 1).add(table.values.matrix.rows(id..<id + 1))
        }
    }

    /// The largest token id that has a position; nil if every id has one.
    var largestID: Int? {
        guard case .table(let table) = self else { return nil }
        return table.values.shape[0] - 1
    }
}

/// The size of the token grid of an input.
struct GridSize: Hashable, Sendable {
    let frames: Int
    let rows: Int
    let columns: Int

    var count: Int { frames * rows * columns }
}

/// A learned or fixed vector for each position, [positions, width].
struct PositionTable: Sendable {
    /// The interpolation of a table, as in the reference implementations.
    enum Interpolation: Sendable {
        /// Over rows and columns, with a = −0.75: huggingface/transformers
        /// `models/ijepa/modeling_ijepa.py`.
        case bicubic
        /// Over frames, rows and columns: facebookresearch/jepa `src/models/vision_transformer.py`.
        case trilinear
    }

    let values: Tensor
    let sizes: GridSize
    let interpolation: Interpolation

    /// Returns the table interpolated to another size, or itself for its own size.
    func interpolated(to target: GridSize) -> PositionTable {
        guard target != sizes else { return self }
        let width = values.shape[1]
        let source = values.values
        var result = [Float](repeating: 0, count: target.count * width)
        let frames = weights(from: sizes.frames, to: target.frames, isTime: true)
        let rows = weights(from: sizes.rows, to: target.rows, isTime: false)
        let columns = weights(from: sizes.columns, to: target.columns, isTime: false)
        for (t, frame) in frames.enumerated() {
            for (y, row) in rows.enumerated() {
                for (x, column) in columns.enumerated() {
                    let place = ((t * target.rows + y) * target.columns + x) * width
                    for (f, frameWeight) in frame {
                        for (r, rowWeight) in row {
                            for (c, columnWeight) in column {
                                let weight = Float(frameWeight * rowWeight * columnWeight)
                                let from = ((f * sizes.rows + r) * sizes.columns + c) * width
                                for element in 0..<width {
                                    result[place + element] += weight * source[from + element]
                                }
                            }
                        }
                    }
                }
            }
        }
        return PositionTable(
            values: Tensor(shape: [target.count, width], values: result),
            sizes: target,
            interpolation: interpolation
        )
    }

    /// Returns the source positions and weights for each target position along an axis.
    ///
    /// Half-pixel centres, `align_corners=False`, repeated edges: pytorch/pytorch
    /// `aten/src/ATen/native/UpSample.h`.
    private func weights(from old: Int, to new: Int, isTime: Bool) -> [[(Int, Double)]] {
        (0..<new).map { index in
            guard old != new else { return [(index, 1)] }
            let centre = (Double(index) + 0.5) * Double(old) / Double(new) - 0.5
            if interpolation == .bicubic, !isTime {
                let first = Int(centre.rounded(.down))
                let t = centre - Double(first)
                return (-1...2).map { offset in
                    (min(max(first + offset, 0), old - 1), Self.cubic(abs(t - Double(offset))))
                }
            }
            let position = max(centre, 0)
            let first = min(Int(position), old - 1)
            let t = position - Double(first)
            return [(first, 1 - t), (min(first + 1, old - 1), t)]
        }
    }

    private static func cubic(_ x: Double) -> Double {
        let a = -0.75
        return x <= 1
            ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    }
}
