// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// The columns of all samples.
struct SampleTable: Sendable {
    /// The number of samples.
    let samples: Int
    private let columns: [String: [Tensor]]

    /// Joins chunks in order.
    init(_ chunks: [ChunkFolder.Chunk]) {
        var columns: [String: [Tensor]] = [:]
        for chunk in chunks {
            for (name, tensor) in chunk.columns { columns[name, default: []].append(tensor) }
        }
        self.columns = columns
        samples = columns.values.first?.reduce(0) { $0 + $1.shape[0] } ?? 0
    }

    /// The numbers of a column for each sample.
    ///
    /// - Parameter name: a column of the stage.
    /// - Returns: the numbers of each sample, in order.
    func rows(_ name: String) -> [[Double]] {
        (columns[name] ?? []).flatMap { tensor in
            let (width, values) = (tensor.shape[1], tensor.values)
            return (0..<tensor.shape[0]).map { row in
                values[row * width..<(row + 1) * width].map(Double.init)
            }
        }
    }
}
