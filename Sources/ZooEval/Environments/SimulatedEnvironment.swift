// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooMedia

/// An episode of a simulated environment: a state that actions change, and a goal.
///
/// Episodes are the same on every machine: numbers are drawn with `SplitMix64`, and only operations are used
/// that IEEE 754 rounds exactly. A change that changes episodes or pictures has another version.
protocol SimulatedEnvironment: Sendable {
    /// The name and version of the rules.
    static var id: SampleSource.EnvironmentID { get }

    /// The number of values of an action, each from -1 to 1.
    static var actionWidth: Int { get }

    /// Draws an episode.
    ///
    /// - Parameter seed: equal seeds give equal episodes.
    init(seed: UInt64)

    /// Takes an action.
    ///
    /// - Parameter action: ``actionWidth`` values; each is clamped to -1 to 1.
    mutating func step(_ action: [Double])

    /// The observation of the current state.
    var picture: RGBImage { get }

    /// The observation of the goal.
    var goalPicture: RGBImage { get }

    /// The centre of what must reach the goal, in pixels of the picture: x to the right, y down.
    var position: SIMD2<Double> { get }

    /// The place to reach, in pixels of the picture.
    var goal: SIMD2<Double> { get }

    /// The distance from the goal at which it is reached, in pixels.
    static var tolerance: Double { get }

    /// What does not move, in pixels of the picture.
    var walls: [Exhibit.Rectangle] { get }

    /// Whether the goal is reached.
    var isSolved: Bool { get }

    /// The action that moves straight to the goal, whatever is in the way.
    var straightAction: [Double] { get }
}

/// The simulated environments.
enum EnvironmentList {
    /// An environment of the list.
    struct Entry: Sendable {
        /// The name and version.
        let id: SampleSource.EnvironmentID
        /// The number of values of an action.
        let actionWidth: Int
        /// Draws an episode from a seed.
        let episode: @Sendable (_ seed: UInt64) -> any SimulatedEnvironment

        fileprivate init<Environment: SimulatedEnvironment>(_ type: Environment.Type) {
            id = type.id
            actionWidth = type.actionWidth
            episode = { Environment(seed: $0) }
        }
    }

    private static let all = [Entry(TwoRooms.self), Entry(PushBlock.self)]

    /// The environment with a name and version.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.environment-unknown`.
    static func entry(_ id: SampleSource.EnvironmentID) throws(ZooError) -> Entry {
        if let entry = all.first(where: { $0.id == id }) { return entry }
        let versions = all.filter { $0.id.name == id.name }.map(\.id.description)
        throw ZooError(
            .environmentUnknown,
            "the environment '\(id)' is not known",
            remedy: versions.isEmpty
                ? "the environments are: \(all.map(\.id.description).joined(separator: ", "))"
                : "this program has \(versions.joined(separator: ", ")); use a later program"
        )
    }
}

extension Double {
    /// The number, or the end of a range that it is beyond; NaN becomes the lower end.
    func clamped(_ low: Double, _ high: Double) -> Double {
        self >= low ? (self <= high ? self : high) : low
    }
}

extension SimulatedEnvironment {
    /// The border of a square picture.
    static func border(_ width: Double, side: Double) -> [Exhibit.Rectangle] {
        [
            Exhibit.Rectangle(x: 0, y: 0, width: side, height: width),
            Exhibit.Rectangle(x: 0, y: side - width, width: side, height: width),
            Exhibit.Rectangle(x: 0, y: width, width: width, height: side - 2 * width),
            Exhibit.Rectangle(x: side - width, y: width, width: width, height: side - 2 * width),
        ]
    }
}
