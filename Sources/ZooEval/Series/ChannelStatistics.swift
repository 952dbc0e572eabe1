// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The mean and the std of each channel over all steps of some windows.
struct ChannelStatistics: Sendable {
    /// The mean of each channel.
    let mean: [Double]
    /// The std of each channel, with the number of steps as divisor; positive.
    let std: [Double]

    /// Computes the statistics.
    ///
    /// - Parameters:
    ///   - values: [windows · steps · channels], at least one window.
    ///   - channels: the number of channels.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a channel is constant.
    init(_ values: [Float], channels: Int) throws(ZooError) {
        let rows = Double(values.count / channels)
        var sums = [Double](repeating: 0, count: channels)
        var (low, high) = (Array(values.prefix(channels)), Array(values.prefix(channels)))
        for index in values.indices {
            let channel = index % channels
            sums[channel] += Double(values[index])
            low[channel] = min(low[channel], values[index])
            high[channel] = max(high[channel], values[index])
        }
        // A variance of 0 would be hidden by rounding of the mean.
        if let channel = low.indices.first(where: { low[$0] == high[$0] }) {
            throw .dataUnsuitable("channel \(channel) of the windows is constant")
        }
        let mean = sums.map { $0 / rows }
        var squares = [Double](repeating: 0, count: channels)
        for index in values.indices {
            let difference = Double(values[index]) - mean[index % channels]
            squares[index % channels] += difference * difference
        }
        self.mean = mean
        std = squares.map { ($0 / rows).squareRoot() }
    }
}
