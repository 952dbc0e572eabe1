// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// The columns of all samples.
struct SampleTable: Sendable {
    private let chunks: [ChunkFolder.Chunk]
    /// The number of samples.
    let samples: Int

    /// Joins chunks in order.
    init(_ chunks: [ChunkFolder.Chunk]) {
        self.chunks = chunks
        samples = chunks.reduce(0) { $0 + $1.samples }
    }

    /// The numbers of a column for each sample.
    ///
    /// - Parameter name: a column of the stage.
    /// - Returns: the numbers of each sample, in order.
    /// - Throws: ``ZooError`` when a file has disappeared, or has other columns, since it was checked.
    func rows(_ name: String) throws(ZooError) -> [[Double]] {
        var rows: [[Double]] = []
        for chunk in chunks {
            guard let tensor = try chunk.columns()[name] else { continue }
            let (width, values) = (tensor.shape[1], tensor.values)
            for row in 0..<tensor.shape[0] {
                rows.append(values[row * width..<(row + 1) * width].map(Double.init))
            }
        }
        return rows
    }

    /// The number of numbers of a sample in a column.
    ///
    /// - Throws: ``ZooError`` when a file has disappeared, or has other columns, since it was checked.
    func width(of name: String) throws(ZooError) -> Int {
        try chunks.first?.columns()[name]?.shape[1] ?? 0
    }

    /// A column of some samples, read when it is needed.
    ///
    /// - Parameters:
    ///   - name: a column of the stage.
    ///   - wanted: which samples.
    /// - Returns: their rows.
    /// - Throws: ``ZooError`` when a file has disappeared, or has other columns, since it was checked.
    func blocks(_ name: String, _ wanted: Range<Int>) throws(ZooError) -> RowBlocks {
        let width = try width(of: name)
        var (pieces, first): ([Piece], Int) = ([], 0)
        for chunk in chunks {
            let rows = (first..<first + chunk.samples).clamped(to: wanted)
            if !rows.isEmpty {
                let own = rows.lowerBound - first..<rows.upperBound - first
                pieces.append(Piece(chunk: chunk, rows: own))
            }
            first += chunk.samples
        }
        var groups: [(rows: Range<Int>, pieces: Range<Int>)] = []
        for (index, piece) in pieces.enumerated() {
            if let last = groups.last, last.rows.count + piece.rows.count <= Self.groupSize {
                groups[groups.count - 1] = (
                    last.rows.lowerBound..<last.rows.upperBound + piece.rows.count,
                    last.pieces.lowerBound..<index + 1
                )
            } else {
                let start = groups.last?.rows.upperBound ?? 0
                groups.append((start..<start + piece.rows.count, index..<index + 1))
            }
        }
        let found = (pieces, groups)
        return RowBlocks(columns: width, groups: groups.map(\.rows)) { group in
            try found.0[found.1[group].pieces].compactMap { piece in
                try piece.chunk.columns()[name]?.matrix.rows(piece.rows)
            }
        }
    }

    /// Tokens of some samples, read when they are needed.
    ///
    /// - Parameters:
    ///   - name: a column with the tokens of a sample one after another.
    ///   - count: a column with their number, equal for all samples.
    ///   - wanted: which samples.
    /// - Returns: their tokens.
    /// - Throws: ``ZooError`` with code `evaluation.shard-missing` when the number is none of tokens; as
    ///   ``blocks(_:_:)``.
    func tokens(
        _ name: String,
        count: String,
        _ wanted: Range<Int>
    ) throws(ZooError) -> TokenSamples {
        let all = try width(of: name)
        let number = try chunks.first?.columns()[count]?.values.first ?? 0
        guard let tokens = Int(exactly: number), tokens > 0, all.isMultiple(of: tokens) else {
            throw ZooError(
                .shardMissing,
                "stored results of \(all) numbers for each sample have \(number) tokens",
                remedy: "remove the stored results, and run the shards again"
            )
        }
        let (width, chunks) = (all / tokens, chunks)
        // For each sample its chunk, and its place in it.
        let places = chunks.indices.flatMap { index in
            (0..<chunks[index].samples).map { (chunk: index, row: $0) }
        }
        return TokenSamples(count: wanted.count, tokens: tokens, width: width) { samples in
            var opened: [Int: Matrix] = [:]
            return try samples.map { sample in
                let (index, row) = places[wanted.lowerBound + sample]
                let matrix: Matrix
                if let known = opened[index] {
                    matrix = known
                } else {
                    guard let column = try chunks[index].columns()[name] else {
                        preconditionFailure("a chunk has all columns of its stage")
                    }
                    matrix = column.matrix
                    opened[index] = matrix
                }
                return matrix.rows(row..<row + 1).reshaped(rows: tokens, columns: width)
            }
        }
    }

    /// The largest number of rows that are read together.
    private static let groupSize = 4096

    /// Rows of a chunk.
    private struct Piece: Sendable {
        let chunk: ChunkFolder.Chunk
        let rows: Range<Int>
    }
}
