// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// The distance between a predicted frame and the goal, which planning minimises.
public struct LatentDistance: Hashable, Sendable {
    /// How element-wise differences are reduced to one number.
    public enum Kind: Hashable, Sendable {
        /// The mean of |a − b| over tokens and elements.
        case meanAbsolute
        /// The mean of (a − b)² over tokens and elements.
        case meanSquare
        /// The sum of (a − b)² over tokens and elements.
        case sumOfSquares
    }

    /// The kind of distance between latents.
    public var kind: Kind
    /// The weight of the mean squared difference of states, which is added; default: 0, ignores
    /// states.
    public var stateWeight: Double

    /// Creates a distance.
    public init(_ kind: Kind, stateWeight: Double = 0) {
        self.kind = kind
        self.stateWeight = stateWeight
    }

    /// The distance of V-JEPA 2-AC: facebookresearch/vjepa2 `notebooks/utils/mpc_utils.py`, `l1`.
    public static let vjepa2AC = LatentDistance(.meanAbsolute)
    /// The distance of JEPA-WM and DINO-WM with proprioception.
    ///
    /// Source: facebookresearch/jepa-wms `evals/simu_env_planning/planning/planning/objectives.py`,
    /// with the weight of its simulations.
    public static let jepaWM = LatentDistance(.meanSquare, stateWeight: 0.1)
    /// The distance of LeWM: galilai-group/stable-worldmodel `planning/objective.py`, `GoalMSE`.
    public static let lewm = LatentDistance(.sumOfSquares)

    /// Returns the distance between the latents of two frames.
    func between(_ found: Matrix, _ goal: Matrix) -> Double {
        switch kind {
        case .meanAbsolute: Self.sum(found, goal) { abs($0) } / Double(found.columns * found.rows)
        case .meanSquare: Self.sum(found, goal) { $0 * $0 } / Double(found.columns * found.rows)
        case .sumOfSquares: Self.sum(found, goal) { $0 * $0 }
        }
    }

    /// Returns the mean squared difference of states.
    static func meanSquare(_ found: Matrix, _ goal: Matrix) -> Double {
        sum(found, goal) { $0 * $0 } / Double(found.columns * found.rows)
    }

    private static func sum(
        _ found: Matrix,
        _ goal: Matrix,
        _ term: (Float) -> Float
    ) -> Double {
        precondition(found.rows == goal.rows && found.columns == goal.columns)
        var total = 0.0
        for row in 0..<found.rows {
            // Rows are summed in float32, and row sums in float64: fast, and precise for any
            // length.
            var partial: Float = 0
            for column in 0..<found.columns {
                partial += term(found[row, column] - goal[row, column])
            }
            total += Double(partial)
        }
        return total
    }
}
