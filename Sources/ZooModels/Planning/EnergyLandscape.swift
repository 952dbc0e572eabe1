// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// The energies of a grid of moves: the search space of a planner.
///
/// Source: facebookresearch/vjepa2 `notebooks/energy_landscape_example.ipynb`.
public struct EnergyLandscape: Sendable {
    /// The moves along an axis, in metres.
    public let moves: [Double]
    /// The candidates, [moves³, 7]: x slowest, z fastest; without rotation or gripper moves.
    public let actions: Tensor
    /// The energy of each candidate.
    public let energies: [Float]

    /// Computes the energy of one step for every move of a grid.
    ///
    /// - Parameters:
    ///   - problem: known frames and goal, for a model whose actions are changes of a ``Pose``.
    ///   - size: the maximum move along an axis, in metres, greater than 0.
    ///   - count: the number of moves along an axis, 2 to 100.
    ///   - pool: the threads to compute on.
    ///   - progress: called with the number of completed candidates.
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`, `model.energy-not-finite`,
    ///   `model.unsupported` for a model with other actions, or `model.input-shape-invalid`;
    ///   `CancellationError` when the task is cancelled.
    public init(
        of problem: PlanningProblem,
        size: Double = 0.075,
        count: Int = 5,
        on pool: ComputePool = .shared,
        progress: (@Sendable (_ done: Int) -> Void)? = nil
    ) async throws {
        try Pose.requireActions(of: problem.model)
        guard (2...100).contains(count), size.isFinite, size > 0 else {
            throw ZooError(
                .planSettingsInvalid,
                "a grid of \(count) moves per axis of up to \(size) m is not possible",
                remedy: "use 2 to 100 moves per axis, and a maximum move greater than 0 m"
            )
        }
        let step = 2 * size / Double(count - 1)
        let moves = (0..<count).map { $0 == count - 1 ? size : step * Double($0) - size }
        let values = moves.flatMap { x in
            moves.flatMap { y in
                moves.flatMap { z in Pose(position: SIMD3(x, y, z)).values }
            }
        }
        self.moves = moves
        actions = Tensor(shape: [count * count * count, Pose.width], values: values)
        energies = try await problem.energies(
            of: actions.reshaped([count * count * count, 1, Pose.width]),
            on: pool,
            progress: progress
        )
        let lost = energies.count { !$0.isFinite }
        guard lost == 0 else {
            throw ZooError(
                .energyNotFinite,
                "\(lost) of \(energies.count) moves have no finite energy",
                remedy: "check that frames and states use the units that the model was trained with"
            )
        }
    }

    /// The energies summed over the moves along y, [moves along x][moves along z].
    ///
    /// This is the histogram of the upstream notebook.
    public var histogram: [[Double]] {
        let count = moves.count
        return (0..<count).map { x in
            (0..<count).map { z in
                (0..<count).reduce(0) { $0 + Double(energies[(x * count + $1) * count + z]) }
            }
        }
    }

    /// The move with the least energy, [7]; the first one for ties.
    public var leastAction: [Float] {
        let index = energies.indices.min { (energies[$0], $0) < (energies[$1], $1) } ?? 0
        return Array(actions.values[index * Pose.width..<(index + 1) * Pose.width])
    }
}
