// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooMedia
internal import ZooTensor

extension PlanningSuite {
    /// The most points of a line.
    private static let points = 50
    /// The number of episodes whose ways are drawn.
    private static let drawn = 6

    /// The share of episodes that reached the goal, by the number of steps; and the ways of some episodes.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] {
        let policies = [
            (name: "plans of the model", column: "planned"),
            (name: "random policy", column: "random"),
            (name: "straight line", column: "straight"),
        ]
        let apart = (steps + Self.points - 1) / Self.points
        let lines = try policies.map { policy in
            let taken = try table.rows(policy.column).map { $0[0] }
            return Exhibit.Line(
                policy.name,
                stride(from: 0, through: steps, by: apart).map { step in
                    let solved = taken.count { $0 > 0 && $0 <= Double(step) }
                    return Exhibit.Point(
                        Double(step),
                        Double(solved) / Double(taken.count),
                        ConfidenceInterval(share: solved, of: taken.count)
                    )
                }
            )
        }
        return [
            Exhibit(
                "Share of episodes that reached the goal, by the number of steps",
                .curves(Exhibit.Curves(horizontal: "steps", vertical: "share of episodes", lines))
            ),
            try routes(table),
        ]
    }

    /// The ways of episodes at equal distances.
    private func routes(_ table: SampleTable) throws -> Exhibit {
        let (taken, ways) = (try table.rows("planned"), try table.rows(PlanningStage.way))
        let step = max(1, taken.count / Self.drawn)
        let samples = taken.indices.filter { $0.isMultiple(of: step) }.prefix(Self.drawn)
        let routes = samples.map { sample in
            let start = episode(seed(ofEpisode: sample))
            let actions = taken[sample][0] > 0 ? Int(taken[sample][0]) : steps
            let way = ways[sample]
            let (size, kind) = (start.picture, type(of: start))
            return Exhibit.Route(
                sample: sample,
                of: (size.width, size.height),
                walls: start.walls,
                goal: Exhibit.Paths.Position(x: start.goal.x, y: start.goal.y),
                tolerance: kind.tolerance,
                planned: (0...(actions + apart - 1) / apart).map {
                    Exhibit.Paths.Position(x: way[2 * $0], y: way[2 * $0 + 1])
                },
                baseline: straightWay(start),
                steps: taken[sample][0] > 0 ? actions : nil
            )
        }
        return Exhibit(
            "Ways that were planned, in \(routes.count) episodes, and of the policy that moves straight",
            .routes(routes)
        )
    }

    /// The places on the way of the baseline without the model.
    private func straightWay(_ start: any SimulatedEnvironment) -> [Exhibit.Paths.Position] {
        var (environment, way) = (start, [start.position])
        for action in 1...steps {
            environment.step(environment.straightAction)
            let isOver = environment.isSolved || action == steps
            if isOver || action.isMultiple(of: apart) { way.append(environment.position) }
            if isOver { break }
        }
        return way.map { Exhibit.Paths.Position(x: $0.x, y: $0.y) }
    }
}
