// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension PlanningSuite {
    /// The most points of a line.
    private static let points = 50

    /// The share of episodes that reached the goal, by the number of steps.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData
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
            )
        ]
    }
}
