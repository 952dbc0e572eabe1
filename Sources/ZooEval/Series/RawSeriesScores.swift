// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Scores of anomaly on raw channels, from the statistics of windows without anomalies.
struct RawSeriesScores: Sendable {
    /// How a window is scored without a model.
    enum Kind: String, CaseIterable {
        /// The largest distance of a number from the mean of its channel, in std.
        case largestZ = "largest-z"
        /// The squared Mahalanobis distance of the means of the channels.
        ///
        /// Source: P. C. Mahalanobis, "On the generalised distance in statistics", Proceedings of the National
        /// Institute of Sciences of India 2 (1936), 49 to 55.
        case mahalanobis
    }

    private let steps: Int
    private let channels: Int
    private let statistics: ChannelStatistics
    private let centre: [Double]
    /// The lower triangle L of the covariance of window means, L · Lᵀ, by rows.
    private let triangle: [[Double]]

    /// Computes the statistics of windows.
    ///
    /// - Parameters:
    ///   - values: [windows · steps · channels], at least two windows.
    ///   - steps: the number of steps of a window.
    ///   - channels: the number of channels.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a channel is constant, or the covariance
    ///   of window means is not positive definite.
    init(_ values: [Float], steps: Int, channels: Int) throws(ZooError) {
        (self.steps, self.channels) = (steps, channels)
        statistics = try ChannelStatistics(values, channels: channels)
        let windows = values.count / (steps * channels)
        let means = (0..<windows).map {
            Self.means(values, $0, steps: steps, channels: channels)
        }
        let centre = (0..<channels).map { channel in
            means.reduce(0) { $0 + $1[channel] } / Double(windows)
        }
        self.centre = centre
        var covariance = [[Double]](
            repeating: [Double](repeating: 0, count: channels),
            count: channels
        )
        for row in means {
            let centred = zip(row, centre).map { $0 - $1 }
            for i in 0..<channels {
                for j in 0...i { covariance[i][j] += centred[i] * centred[j] }
            }
        }
        for i in 0..<channels {
            for j in 0...i { covariance[i][j] /= Double(max(windows - 1, 1)) }
        }
        guard let triangle = Self.cholesky(covariance) else {
            throw .dataUnsuitable(
                "the covariance of the \(channels) channels over \(windows) reference windows is not positive "
                    + "definite",
                remedy:
                    "use a reference split with more windows than channels, none of which follows from others"
            )
        }
        self.triangle = triangle
    }

    /// The scores of a window.
    ///
    /// - Parameters:
    ///   - window: the number of the window in `values`.
    ///   - values: [windows · steps · channels].
    /// - Returns: a score for each kind; higher means more anomalous.
    func scores(_ window: Int, of values: [Float]) -> [Kind: Double] {
        let start = window * steps * channels
        let largest = (0..<steps * channels).reduce(0.0) { largest, index in
            let channel = index % channels
            let distance = Double(values[start + index]) - statistics.mean[channel]
            return max(largest, abs(distance / statistics.std[channel]))
        }
        // L y = mean − centre by forward substitution; the distance is |y|².
        let means = Self.means(values, window, steps: steps, channels: channels)
        var solved: [Double] = []
        for i in 0..<channels {
            let known = (0..<i).reduce(0) { $0 + triangle[i][$1] * solved[$1] }
            solved.append((means[i] - centre[i] - known) / triangle[i][i])
        }
        return [.largestZ: largest, .mahalanobis: solved.reduce(0) { $0 + $1 * $1 }]
    }

    private static func means(
        _ values: [Float],
        _ window: Int,
        steps: Int,
        channels: Int
    ) -> [Double] {
        var sums = [Double](repeating: 0, count: channels)
        let start = window * steps * channels
        for index in 0..<steps * channels {
            sums[index % channels] += Double(values[start + index])
        }
        return sums.map { $0 / Double(steps) }
    }

    /// The lower triangle L with L · Lᵀ = `matrix`, of which the lower half is read; nil when the matrix is not
    /// positive definite up to rounding.
    private static func cholesky(_ matrix: [[Double]]) -> [[Double]]? {
        var result = matrix
        for i in matrix.indices {
            for j in 0...i {
                let known = (0..<j).reduce(0) { $0 + result[i][$1] * result[j][$1] }
                let rest = matrix[i][j] - known
                if i == j {
                    guard rest > 1e-12 * matrix[i][i] else { return nil }
                    result[i][i] = rest.squareRoot()
                } else {
                    result[i][j] = rest / result[j][j]
                }
            }
        }
        return result
    }
}
