// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooMedia
internal import ZooModels

/// `push-block/1`: a disc pushes a square block to a goal place.
///
/// Coordinates are in pixels of the picture, x to the right and y down; pixel i covers [i, i + 1). The disc has the
/// radius 2 px, and the block the side 6 px; neither turns. An action is a velocity (x, y) of the disc in units of 2 px
/// per step. Contact is quasi-static and without friction: after a move, the block moves along the shortest way out
/// of the disc; at the border of the picture it stops, and the disc moves back along the same line.
///
/// The goal is a place of the block; the disc may be anywhere. The picture of the goal shows the disc where it
/// started.
struct PushBlock: SimulatedEnvironment {
    static let id = SampleSource.EnvironmentID(name: "push-block", version: 1)
    static let actionWidth = 2

    /// The width and height of a picture.
    static let side = 32
    private static let radius = 2.0
    /// Half of the side of the block.
    private static let half = 3.0
    /// The width of the border.
    private static let border = 2.0
    /// The largest move of the disc along an axis, in pixels per step.
    private static let speed = 2.0
    /// The distance of the block from the goal at which it is reached, in pixels.
    static let tolerance = 1.5
    /// The least distance of the block from the goal and from the disc at the start, in pixels.
    private static let leastWay = 6.0
    /// The least distance from the border of the places of the block that are drawn, so that the disc fits behind it.
    private static let margin = 5.0
    private static let floor = [32.0, 32, 40]
    private static let wall = [208.0, 208, 208]
    private static let disc = [255.0, 96, 32]
    private static let block = [64.0, 160, 255]

    /// The centre of the disc.
    private(set) var place: SIMD2<Double>
    /// The centre of the block.
    private(set) var block: SIMD2<Double>
    /// The place that the block must reach.
    let goal: SIMD2<Double>
    private let start: SIMD2<Double>

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        while true {
            let block = Self.place(&random, keeping: Self.half + Self.margin)
            let goal = Self.place(&random, keeping: Self.half + Self.margin)
            let place = Self.place(&random, keeping: Self.radius)
            guard Self.distance(block, goal) >= Self.leastWay,
                Self.distance(block, place) >= Self.leastWay
            else { continue }
            self.init(place: place, block: block, goal: goal)
            return
        }
    }

    /// Creates an episode.
    ///
    /// - Parameters:
    ///   - place: the centre of the disc.
    ///   - block: the centre of the block.
    ///   - goal: the place that the block must reach.
    init(place: SIMD2<Double>, block: SIMD2<Double>, goal: SIMD2<Double>) {
        (self.place, self.block, self.goal, start) = (place, block, goal, place)
    }

    private static func place(
        _ random: inout SplitMix64,
        keeping distance: Double
    ) -> SIMD2<Double> {
        let (low, high) = bounds(distance)
        let x = low + (high - low) * random.uniform()
        return SIMD2(x, low + (high - low) * random.uniform())
    }

    /// The coordinates that keep a distance from the border.
    private static func bounds(_ distance: Double) -> (low: Double, high: Double) {
        (border + distance, Double(side) - border - distance)
    }

    private static func inside(_ place: SIMD2<Double>, keeping distance: Double) -> SIMD2<Double> {
        let (low, high) = bounds(distance)
        return SIMD2(place.x.clamped(low, high), place.y.clamped(low, high))
    }

    private static func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
        let way = a - b
        return (way.x * way.x + way.y * way.y).squareRoot()
    }

    mutating func step(_ action: [Double]) {
        let move = SIMD2(action[0].clamped(-1, 1), action[1].clamped(-1, 1))
        place = Self.inside(place + move * Self.speed, keeping: Self.radius)
        guard let way = overlap() else { return }
        let pushed = block + way
        block = Self.inside(pushed, keeping: Self.half)
        // What the border stopped pushes the disc back.
        place = Self.inside(place - (pushed - block), keeping: Self.radius)
    }

    /// The shortest move of the block out of the disc; nil if they do not overlap.
    private func overlap() -> SIMD2<Double>? {
        let offset = block - place
        // The point of the block that is nearest to the centre of the disc, seen from it.
        let near = SIMD2(
            (-offset.x).clamped(-Self.half, Self.half) + offset.x,
            (-offset.y).clamped(-Self.half, Self.half) + offset.y
        )
        let distance = (near.x * near.x + near.y * near.y).squareRoot()
        if distance > 0 {
            guard distance < Self.radius else { return nil }
            return near * ((Self.radius - distance) / distance)
        }
        // The centre is inside the block: out through the nearest side.
        let reach = Self.half + Self.radius
        return abs(offset.x) >= abs(offset.y)
            ? SIMD2(offset.x < 0 ? -reach - offset.x : reach - offset.x, 0)
            : SIMD2(0, offset.y < 0 ? -reach - offset.y : reach - offset.y)
    }

    var position: SIMD2<Double> { block }

    var walls: [Exhibit.Rectangle] { Self.border(Self.border, side: Double(Self.side)) }

    var picture: RGBImage { drawn(place, block) }

    var goalPicture: RGBImage { drawn(start, goal) }

    private func drawn(_ place: SIMD2<Double>, _ block: SIMD2<Double>) -> RGBImage {
        /// The part of a pixel that an interval around a centre covers.
        func part(_ edge: Double, _ centre: Double) -> Double {
            (min(edge + 1, centre + Self.half) - max(edge, centre - Self.half)).clamped(0, 1)
        }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(Self.side * Self.side * 3)
        for row in 0..<Self.side {
            for column in 0..<Self.side {
                let (left, top) = (Double(column), Double(row))
                let isBorder = min(row, column) < 2 || max(row, column) >= Self.side - 2
                let square = part(left, block.x) * part(top, block.y)
                let (dx, dy) = (left + 0.5 - place.x, top + 0.5 - place.y)
                let round =
                    (Self.radius + 0.5 - (dx * dx + dy * dy).squareRoot()).clamped(0, 1)
                for channel in 0..<3 {
                    let ground = isBorder ? Self.wall[channel] : Self.floor[channel]
                    let behind = ground + (Self.block[channel] - ground) * square
                    pixels.append(UInt8(behind + (Self.disc[channel] - behind) * round + 0.5))
                }
            }
        }
        return RGBImage(width: Self.side, height: Self.side, pixels: pixels)
    }

    var isSolved: Bool { Self.distance(block, goal) <= Self.tolerance }

    /// Straight to the goal of the block, pushing what is in the way.
    var straightAction: [Double] {
        let (x, y) = ((goal.x - place.x) / Self.speed, (goal.y - place.y) / Self.speed)
        let largest = max(abs(x), abs(y), 1)
        return [x / largest, y / largest]
    }
}
