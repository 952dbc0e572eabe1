// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooMedia

@testable import ZooEval
@testable import ZooModels

/// The simulated environments.
@Suite struct EnvironmentTests {
    static func vectors() throws -> JSONObject {
        let path = "\(SampleEvaluation.root)/Tests/Vectors/environments/two-rooms.json"
        return try JSONObject(JSONValue(parsing: FileSystem.document(path, limit: 1 << 20)))
    }

    /// The published outputs for the seed 1234567.
    @Test func theGeneratorIsSplitMix64() {
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        var generator = SplitMix64(seed: 1_234_567)
        for (index, number) in expected.enumerated() {
            #expect(generator.next() == number)
            #expect(SplitMix64.output(UInt64(index), seed: 1_234_567) == number)
        }
    }

    /// `Tests/Vectors/environments/make.py`: every place and every pixel, bit for bit.
    @Test func twoRoomsIsItsPythonTwin() throws {
        let trajectories = try Self.vectors().objects("trajectories", maximum: 100)
        #expect(trajectories.count == 8)
        for trajectory in trajectories {
            let seed = try trajectory.integer("seed", in: 0...1 << 50)
            var rooms = TwoRooms(seed: UInt64(seed))
            #expect(try rooms.door == trajectory.number("door"))
            #expect(try [rooms.goal.x, rooms.goal.y] == trajectory.numbers("goal", maximum: 2))
            let actions = try trajectory.numbers("actions", maximum: 1000)
            var places = [rooms.place.x, rooms.place.y]
            var pixels = rooms.goalPicture.pixels + rooms.picture.pixels
            for start in stride(from: 0, to: actions.count, by: 2) {
                rooms.step(Array(actions[start..<start + 2]))
                places += [rooms.place.x, rooms.place.y]
                pixels += rooms.picture.pixels
            }
            #expect(try places == trajectory.numbers("places", maximum: 1000))
            #expect(
                try ContentDigest(of: pixels).description == trajectory.string("pixels"),
                "seed \(seed)"
            )
            #expect(try .bool(rooms.isSolved) == trajectory.required("solved"))
        }
    }

    /// Rooms are left through the door only, whatever the actions are.
    @Test func wallsBlock() {
        for seed in 0..<40 as Range<UInt64> {
            var rooms = TwoRooms(seed: seed)
            var random = SplitMix64(seed: seed)
            for _ in 0..<400 {
                let before = rooms.place
                // Long moves to one side, with every value at times beyond the range.
                let side = random.uniform() < 0.5 ? -3.0 : 3.0
                rooms.step([side * random.uniform(), 4 * random.uniform() - 2])
                let (x, y) = (rooms.place.x, rooms.place.y)
                #expect((3.5...28.5).contains(x) && (3.5...28.5).contains(y))
                #expect(abs(x - before.x) <= 2.000001 && abs(y - before.y) <= 2.000001)
                let isInDoor = abs(y - rooms.door) <= 2.500001
                #expect(isInDoor || x <= 13.5 || x >= 18.5, "seed \(seed): \(x), \(y)")
            }
        }
    }

    @Test func valuesThatAreNotNumbersAreBounded() {
        var rooms = TwoRooms(seed: 3)
        rooms.step([.nan, .infinity])
        rooms.step([-.infinity, .nan])
        #expect((3.5...28.5).contains(rooms.place.x) && (3.5...28.5).contains(rooms.place.y))
    }

    /// Pushed along an axis, the block moves with the disc; at the border both stop.
    @Test func theDiscPushesTheBlock() {
        var push = PushBlock(place: SIMD2(8, 16), block: SIMD2(16, 16), goal: SIMD2(20, 16))
        push.step([1, 0])
        #expect(push.block == SIMD2(16, 16) && push.place == SIMD2(10, 16))
        push.step([1, 0])
        #expect(push.block == SIMD2(17, 16) && push.place == SIMD2(12, 16))
        #expect(!push.isSolved)
        push.step([1, 0])
        #expect(push.block == SIMD2(19, 16) && push.isSolved)
        for _ in 0..<10 { push.step([1, 0]) }
        #expect(push.block == SIMD2(27, 16) && push.place == SIMD2(22, 16))
        // A disc that comes near a corner pushes it away from itself.
        push = PushBlock(place: SIMD2(11, 11), block: SIMD2(16, 16), goal: SIMD2(20, 16))
        push.step([0.5, 0.5])
        #expect(push.block.x > 16 && push.block.x == push.block.y)
        #expect(push.place == SIMD2(12, 12))
    }

    /// The block stays inside, moves only when it is touched, and never farther than the disc.
    @Test func theBlockMovesOnlyByContact() {
        for seed in 0..<40 as Range<UInt64> {
            var push = PushBlock(seed: seed)
            var random = SplitMix64(seed: seed)
            var hasMoved = false
            for _ in 0..<300 {
                let (place, block) = (push.place, push.block)
                // Mostly towards the block.
                let way = block - place
                func action(_ toward: Double) -> Double {
                    (toward > 0 ? 0.5 : -0.5) + 2 * random.uniform() - 1
                }
                push.step([action(way.x), action(way.y)])
                #expect((5...27).contains(push.block.x) && (5...27).contains(push.block.y))
                #expect((4...28).contains(push.place.x) && (4...28).contains(push.place.y))
                let change = push.block - block
                let length = (change.x * change.x + change.y * change.y).squareRoot()
                #expect(length <= 4)
                if length > 0 {
                    hasMoved = true
                    #expect(max(abs(way.x), abs(way.y)) <= 3 + 2 + 2 + 1e-9)
                }
            }
            #expect(hasMoved, "seed \(seed)")
        }
    }

    @Test func picturesShowTheStateAndTheGoal() {
        #expect(PushBlock(seed: 11).picture == PushBlock(seed: 11).picture)
        #expect(PushBlock(seed: 12).picture != PushBlock(seed: 11).picture)
        let push = PushBlock(place: SIMD2(6, 6), block: SIMD2(12, 12), goal: SIMD2(20, 16))
        #expect(push.picture != push.goalPicture)
        #expect(push.picture.width == 32 && push.picture.height == 32)
        let blue = push.goalPicture.pixels[
            (Int(push.goal.y) * 32 + Int(push.goal.x)) * 3 + 2
        ]
        #expect(blue > 200)
    }

    @Test func laterVersionsAreRefused() {
        for (name, version) in [("two-rooms", 2), ("push-block", 7), ("three-rooms", 1)] {
            let error = #expect(throws: ZooError.self) {
                try EnvironmentList.entry(.init(name: name, version: version))
            }
            #expect(error?.code.rawValue == "evaluation.environment-unknown")
        }
    }
}
