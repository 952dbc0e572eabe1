// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooModels

/// Poses against `compute_new_pose` and `poses_to_diff` of facebookresearch/vjepa2, which use scipy:
/// `Tests/Vectors/planning/poses.json`.
@Suite struct PoseTests {
    private struct Row: Decodable {
        let kind: String
        let start: [Double]
        let action: [Double]
        let moved: [Double]
        let change: [Double]
    }

    private func rows() throws -> [Row] {
        let file = URL(filePath: "\(vectors)/planning/poses.json")
        return try JSONDecoder().decode([Row].self, from: Data(contentsOf: file))
    }

    private func pose(_ numbers: [Double]) -> Pose {
        Pose(
            position: SIMD3(numbers[0], numbers[1], numbers[2]),
            angles: SIMD3(numbers[3], numbers[4], numbers[5]),
            gripper: numbers[6]
        )
    }

    private func expect(_ found: Pose, _ expected: Pose, _ row: Row) {
        #expect(found.position == expected.position, "\(row.kind)")
        #expect(found.gripper == expected.gripper, "\(row.kind)")
        for axis in 0..<3 {
            // Half a turn one way is half a turn the other way.
            let difference = abs(found.angles[axis] - expected.angles[axis])
            #expect(min(difference, abs(difference - 2 * .pi)) < 1e-9, "\(row.kind), axis \(axis)")
            #expect(abs(found.angles[axis]) <= .pi)
        }
    }

    @Test func posesMoveAsInUpstream() throws {
        let rows = try rows()
        #expect(Set(rows.map(\.kind)).count == 5)
        for row in rows {
            let (start, action, moved) = (pose(row.start), pose(row.action), pose(row.moved))
            expect(start.moved(by: action), moved, row)
            expect(start.change(to: moved), pose(row.change), row)
            if row.kind == "locked" { #expect(start.moved(by: action).angles.z == 0) }
        }
    }

    @Test func sevenNumbersAreAPose() {
        let numbers: [Float] = [0.5, -0.25, 1, 0.1, 0.2, 0.3, 0.75]
        #expect(Pose(numbers).values == numbers)
        #expect(Pose(numbers[...]).position == SIMD3(0.5, -0.25, 1))
    }
}
