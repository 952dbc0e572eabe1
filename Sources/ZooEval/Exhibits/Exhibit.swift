// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a suite shows beside its numbers: values to draw, which say nothing about how they look.
///
/// Exhibits follow from the stored columns of a suite. They are no part of the report's document.
package struct Exhibit: Sendable, Equatable {
    /// What it shows, in a sentence without a full stop.
    package let title: String
    /// The values.
    package let content: Content

    /// The kinds of exhibits.
    package enum Content: Sendable, Equatable {
        /// Lines over a common axis.
        case curves(Curves)
        /// Groups of values of one unit.
        case bars(Bars)
        /// Paths in pictures, one drawing for each sample.
        case paths([Paths])
        /// Ways to a goal, one drawing for each episode.
        case routes([Route])
    }

    /// Shows something.
    package init(_ title: String, _ content: Content) {
        self.title = title
        self.content = content
    }

    /// Lines over a common axis.
    package struct Curves: Sendable, Equatable {
        /// The quantity from left to right, with its unit.
        package let horizontal: String
        /// The quantity upwards, with its unit.
        package let vertical: String
        /// The lines; the first one is the model's where there is one.
        package let lines: [Line]

        /// Describes lines.
        package init(horizontal: String, vertical: String, _ lines: [Line]) {
            self.horizontal = horizontal
            self.vertical = vertical
            self.lines = lines
        }
    }

    /// One line.
    package struct Line: Sendable, Equatable {
        /// What it is.
        package let name: String
        /// The points, from left to right.
        package let points: [Point]

        /// Describes a line.
        package init(_ name: String, _ points: [Point]) {
            self.name = name
            self.points = points
        }
    }

    /// A point of a line.
    package struct Point: Sendable, Equatable {
        /// The place from left to right.
        package let x: Double
        /// The value.
        package let y: Double
        /// The interval of the value; nil for none.
        package let interval: ConfidenceInterval?

        /// Describes a point.
        package init(_ x: Double, _ y: Double, _ interval: ConfidenceInterval? = nil) {
            self.x = x
            self.y = y
            self.interval = interval
        }

        /// The mean of one number for each sample.
        ///
        /// - Parameters:
        ///   - x: the place from left to right.
        ///   - values: at least one number.
        init(_ x: Double, meanOf values: [Double]) {
            self.init(
                x,
                values.reduce(0, +) / Double(values.count),
                ConfidenceInterval(meanOf: values)
            )
        }
    }

    /// Groups of values of one unit.
    package struct Bars: Sendable, Equatable {
        /// The quantity, with its unit.
        package let quantity: String
        /// The groups, in order.
        package let groups: [Group]

        /// Describes bars.
        package init(_ quantity: String, _ groups: [Group]) {
            self.quantity = quantity
            self.groups = groups
        }
    }

    /// Values that are compared with one another.
    package struct Group: Sendable, Equatable {
        /// What they have in common.
        package let name: String
        /// The values; the first one is the model's where there is one.
        package let bars: [Bar]

        /// Describes a group.
        package init(_ name: String, _ bars: [Bar]) {
            self.name = name
            self.bars = bars
        }
    }

    /// One value.
    package struct Bar: Sendable, Equatable {
        /// What it is.
        package let name: String
        /// The value.
        package let value: Double
        /// The interval of the value; nil for none.
        package let interval: ConfidenceInterval?

        /// Describes a value.
        package init(_ name: String, _ value: Double, _ interval: ConfidenceInterval? = nil) {
            self.name = name
            self.value = value
            self.interval = interval
        }
    }

    /// Where a thing was and where a model expects it, in the pixels of a picture; y grows downwards.
    package struct Paths: Sendable, Equatable {
        /// A position.
        package struct Position: Sendable, Equatable {
            /// From the left edge.
            package let x: Double
            /// From the upper edge.
            package let y: Double

            /// Describes a position.
            package init(x: Double, y: Double) {
                self.x = x
                self.y = y
            }
        }

        /// The number of the sample, from 0.
        package let sample: Int
        /// The width of the picture.
        package let width: Int
        /// The height of the picture.
        package let height: Int
        /// Where it was in the frames that the model saw.
        package let seen: [Position]
        /// Where it was in the frames after them.
        package let actual: [Position]
        /// Where the model expects it in those frames.
        package let predicted: [Position]

        /// Describes paths.
        package init(
            sample: Int,
            of size: (width: Int, height: Int),
            seen: [Position],
            actual: [Position],
            predicted: [Position]
        ) {
            self.sample = sample
            (width, height) = size
            self.seen = seen
            self.actual = actual
            self.predicted = predicted
        }
    }

    /// The way to a goal in the picture of an episode; y grows downwards.
    package struct Route: Sendable, Equatable {
        /// The number of the episode, from 0.
        package let sample: Int
        /// The width of the picture.
        package let width: Int
        /// The height of the picture.
        package let height: Int
        /// What does not move.
        package let walls: [Rectangle]
        /// The place to reach.
        package let goal: Paths.Position
        /// The distance from the goal at which it is reached.
        package let tolerance: Double
        /// The places on the way that was planned, from the start.
        package let planned: [Paths.Position]
        /// The places on the way of the baseline, from the start.
        package let baseline: [Paths.Position]
        /// The number of actions until the goal was reached; nil if it was not.
        package let steps: Int?

        /// Describes a way.
        package init(
            sample: Int,
            of size: (width: Int, height: Int),
            walls: [Rectangle],
            goal: Paths.Position,
            tolerance: Double,
            planned: [Paths.Position],
            baseline: [Paths.Position],
            steps: Int?
        ) {
            self.sample = sample
            (width, height) = size
            self.walls = walls
            self.goal = goal
            self.tolerance = tolerance
            self.planned = planned
            self.baseline = baseline
            self.steps = steps
        }
    }

    /// A part of a picture, in pixels.
    package struct Rectangle: Sendable, Equatable {
        /// The left edge.
        package let x: Double
        /// The upper edge.
        package let y: Double
        /// From the left to the right edge.
        package let width: Double
        /// From the upper to the lower edge.
        package let height: Double

        /// Describes a part.
        package init(x: Double, y: Double, width: Double, height: Double) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }
}
