// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Minimises a smooth function by the limited-memory method of Broyden, Fletcher, Goldfarb and Shanno.
///
/// Source: J. Nocedal and S. J. Wright, "Numerical Optimization" (2nd edition, 2006), algorithms 7.4 and 7.5, with
/// the line search of algorithms 3.5 and 3.6 for the strong Wolfe conditions.
struct LBFGS {
    /// A point with the value and the gradient of the function.
    struct Point {
        var position: [Double]
        var value: Double
        var gradient: [Double]
    }

    /// The number of steps that curvature is estimated from.
    static let memory = 10
    /// The constants of the strong Wolfe conditions.
    private static let (decrease, curvature) = (1e-4, 0.9)

    private let function: ([Double]) throws -> (value: Double, gradient: [Double])

    /// Describes a function.
    init(_ function: @escaping ([Double]) throws -> (value: Double, gradient: [Double])) {
        self.function = function
    }

    /// Descends until no element of the gradient is above a tolerance.
    ///
    /// - Parameters:
    ///   - start: where to begin.
    ///   - tolerance: the largest magnitude of an element of the gradient at the minimum.
    ///   - iterations: the largest number of steps.
    /// - Returns: the last point; not yet a minimum after `iterations`, or when rounding hides any further decrease.
    /// - Throws: what the function throws.
    func minimise(
        from start: [Double],
        tolerance: Double,
        iterations: Int
    ) throws -> [Double] {
        var point = try evaluate(start)
        var steps: [(step: [Double], change: [Double], scale: Double)] = []
        for _ in 0..<iterations {
            guard point.gradient.contains(where: { abs($0) > tolerance }) else { break }
            var direction = Self.direction(point.gradient, steps)
            if Self.product(direction, point.gradient) >= 0 {
                steps = []
                direction = point.gradient.map { -$0 }
            }
            let first =
                steps.isEmpty ? min(1, 1 / point.gradient.reduce(0) { $0 + abs($1) }) : 1
            guard let next = try search(point, direction, first: first) else { break }
            let step = zip(next.position, point.position).map { $0 - $1 }
            let change = zip(next.gradient, point.gradient).map { $0 - $1 }
            let scale = Self.product(step, change)
            if scale > 1e-16 * Self.product(change, change) {
                if steps.count == Self.memory { steps.removeFirst() }
                steps.append((step, change, scale))
            }
            point = next
        }
        return point.position
    }

    private func evaluate(_ position: [Double]) throws -> Point {
        let (value, gradient) = try function(position)
        return Point(position: position, value: value, gradient: gradient)
    }

    private static func product(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += left[index] * right[index] }
        return sum
    }

    /// Minus the product of the estimated inverse Hessian matrix and the gradient (algorithm 7.4).
    private static func direction(
        _ gradient: [Double],
        _ steps: [(step: [Double], change: [Double], scale: Double)]
    ) -> [Double] {
        var result = gradient.map { -$0 }
        var shares: [Double] = []
        for (step, change, scale) in steps.reversed() {
            let share = product(step, result) / scale
            for index in result.indices { result[index] -= share * change[index] }
            shares.append(share)
        }
        if let (_, change, scale) = steps.last {
            let size = scale / product(change, change)
            for index in result.indices { result[index] *= size }
        }
        for (step, change, scale) in steps {
            let difference = shares.removeLast() - product(change, result) / scale
            for index in result.indices { result[index] += difference * step[index] }
        }
        return result
    }

    /// A point on the line with the strong Wolfe conditions (algorithm 3.5); nil when rounding hides the decrease.
    private func search(
        _ start: Point,
        _ direction: [Double],
        first: Double
    ) throws -> Point? {
        let slope = Self.product(direction, start.gradient)
        func at(_ length: Double) throws -> Trial {
            let position = start.position.indices.map {
                start.position[$0] + length * direction[$0]
            }
            let point = try evaluate(position)
            return Trial(
                length: length,
                point: point,
                slope: Self.product(direction, point.gradient)
            )
        }
        func isLow(_ trial: Trial) -> Bool {
            trial.point.value <= start.value + Self.decrease * trial.length * slope
        }
        var before = Trial(length: 0, point: start, slope: slope)
        var length = first
        for attempt in 0..<20 {
            let trial = try at(length)
            if !isLow(trial) || (attempt > 0 && trial.point.value >= before.point.value) {
                return try zoom(before, trial, slope, at, isLow)
            }
            if abs(trial.slope) <= -Self.curvature * slope { return trial.point }
            if trial.slope >= 0 { return try zoom(trial, before, slope, at, isLow) }
            before = trial
            length *= 2
        }
        return before.length > 0 ? before.point : nil
    }

    private struct Trial {
        let length: Double
        let point: Point
        let slope: Double
    }

    /// Narrows an interval that holds such a point (algorithm 3.6).
    private func zoom(
        _ first: Trial,
        _ second: Trial,
        _ slope: Double,
        _ at: (Double) throws -> Trial,
        _ isLow: (Trial) -> Bool
    ) throws -> Point? {
        var (low, high) = (first, second)
        for _ in 0..<20 {
            let trial = try at(Self.between(low, high))
            if !isLow(trial) || trial.point.value >= low.point.value {
                high = trial
            } else {
                if abs(trial.slope) <= -Self.curvature * slope { return trial.point }
                if trial.slope * (high.length - low.length) >= 0 { high = low }
                low = trial
            }
        }
        return low.length > 0 ? low.point : nil
    }

    /// The minimum of the cubic through two values and slopes (3.59), inside the middle 80 % of the interval.
    private static func between(_ low: Trial, _ high: Trial) -> Double {
        let width = high.length - low.length
        let secant = 3 * (low.point.value - high.point.value) / width
        let bend = low.slope + high.slope + secant
        let root = bend * bend - low.slope * high.slope
        var length = low.length + width / 2
        if root >= 0 {
            let turn = (width < 0 ? -1 : 1) * root.squareRoot()
            let cubic =
                high.length - width * (high.slope + turn - bend)
                / (high.slope - low.slope + 2 * turn)
            if cubic.isFinite { length = cubic }
        }
        let (start, end) = (low.length + 0.1 * width, low.length + 0.9 * width)
        return min(max(length, min(start, end)), max(start, end))
    }
}
