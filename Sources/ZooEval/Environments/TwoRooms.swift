// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooMedia
internal import ZooModels

/// `two-rooms/1`: a point mass in two rooms joined by a door in a wall.
///
/// Coordinates are in pixels of the picture, x to the right and y down; pixel i covers [i, i + 1). The point mass is
/// drawn as a disc of radius 1.5 px. Its centre stays 2.5 px away from the middle plane of the wall (half of the wall
/// and the radius), except in the door. An action is a velocity (x, y) in units of 2 px per step: the disc moves
/// along x, then along y, and walls stop each move.
///
/// `models/ami/two-rooms/generator.py` is its twin: equal seeds and actions give equal states and pixels.
struct TwoRooms: SimulatedEnvironment {
    static let id = SampleSource.EnvironmentID(name: "two-rooms", version: 1)
    static let actionWidth = 2

    /// The width and height of a picture.
    static let side = 32
    /// The least and the largest coordinate of the centre of the disc.
    private static let (low, high) = (3.5, 28.5)
    /// The centre is not between them, except in the door.
    private static let (wallLeft, wallRight) = (13.5, 18.5)
    /// The largest distance of the centre from the middle of the door, along the wall.
    private static let doorReach = 2.5
    /// The range of the middle of the door.
    private static let (doorLow, doorHigh) = (8.0, 24.0)
    /// Half of the height of the door as drawn.
    private static let opening = 4.0
    /// The largest move along an axis, in pixels per step.
    private static let speed = 2.0
    private static let radius = 1.5
    /// The distance at which the goal is reached, in pixels.
    static let tolerance = 1.5
    /// The least distance between start and goal, in pixels.
    private static let leastWay = 6.0
    /// The share of episodes whose start and goal are drawn in different rooms.
    private static let crossing = 0.75
    private static let floor = [32.0, 32, 40]
    private static let wall = [208.0, 208, 208]
    private static let agent = [255.0, 96, 32]

    /// The place of the centre of the disc.
    private(set) var place: SIMD2<Double>
    /// The place to reach.
    let goal: SIMD2<Double>
    /// The middle of the door, along the wall.
    let door: Double

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        door = Self.doorLow + (Self.doorHigh - Self.doorLow) * random.uniform()
        while true {
            let startsRight = random.uniform() < 0.5
            let crosses = random.uniform() < Self.crossing
            let start = Self.place(&random, right: startsRight)
            let goal = Self.place(&random, right: startsRight != crosses)
            let way = goal - start
            guard way.x * way.x + way.y * way.y >= Self.leastWay * Self.leastWay else { continue }
            (place, self.goal) = (start, goal)
            return
        }
    }

    private static func place(_ random: inout SplitMix64, right: Bool) -> SIMD2<Double> {
        let (left, end) = right ? (wallRight, high) : (low, wallLeft)
        let x = left + (end - left) * random.uniform()
        return SIMD2(x, low + (high - low) * random.uniform())
    }

    mutating func step(_ action: [Double]) {
        let (upper, lower) = (door - Self.doorReach, door + Self.doorReach)
        var x = place.x + Self.speed * action[0].clamped(-1, 1)
        x = x.clamped(Self.low, Self.high)
        if place.y < upper || place.y > lower {
            x = place.x <= Self.wallLeft ? min(x, Self.wallLeft) : max(x, Self.wallRight)
        }
        var y = place.y + Self.speed * action[1].clamped(-1, 1)
        y = y.clamped(Self.low, Self.high)
        if x > Self.wallLeft, x < Self.wallRight { y = y.clamped(upper, lower) }
        place = SIMD2(x, y)
    }

    var position: SIMD2<Double> { place }

    var walls: [Exhibit.Rectangle] {
        let (side, border) = (Double(Self.side), 2.0)
        let (upper, lower) = (door - Self.opening, door + Self.opening)
        return Self.border(border, side: side) + [
            Exhibit.Rectangle(x: 15, y: border, width: 2, height: upper - border),
            Exhibit.Rectangle(x: 15, y: lower, width: 2, height: side - border - lower),
        ]
    }

    var picture: RGBImage { drawn(place) }

    var goalPicture: RGBImage { drawn(goal) }

    /// The rooms with the disc at a place: the edges of disc and door are anti-aliased.
    private func drawn(_ place: SIMD2<Double>) -> RGBImage {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(Self.side * Self.side * 3)
        for row in 0..<Self.side {
            let edge = Double(row)
            let open =
                min(edge + 1, door + Self.opening) - max(edge, door - Self.opening)
            for column in 0..<Self.side {
                let isBorder =
                    min(row, column) < 2 || max(row, column) >= Self.side - 2
                let isInner = column == 15 || column == 16
                let solid = isBorder ? 1 : isInner ? 1 - open.clamped(0, 1) : 0
                let (dx, dy) = (Double(column) + 0.5 - place.x, edge + 0.5 - place.y)
                let cover =
                    (Self.radius + 0.5 - (dx * dx + dy * dy).squareRoot()).clamped(0, 1)
                for channel in 0..<3 {
                    let (floor, agent) = (Self.floor[channel], Self.agent[channel])
                    let ground = floor + (Self.wall[channel] - floor) * solid
                    pixels.append(UInt8(ground + (agent - ground) * cover + 0.5))
                }
            }
        }
        return RGBImage(width: Self.side, height: Self.side, pixels: pixels)
    }

    var isSolved: Bool {
        let way = place - goal
        return way.x * way.x + way.y * way.y <= Self.tolerance * Self.tolerance
    }

    /// As fast as the larger part allows, and not beyond the goal.
    var straightAction: [Double] {
        let (x, y) = ((goal.x - place.x) / Self.speed, (goal.y - place.y) / Self.speed)
        let largest = max(abs(x), abs(y), 1)
        return [x / largest, y / largest]
    }
}
