// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooMedia
import ZooTensor
import ZooTesting

@testable import ZooEval

/// What suites show beside their numbers agrees with the numbers.
@Suite struct ExhibitTests {
    private static func curves(_ exhibit: Exhibit) throws -> Exhibit.Curves {
        guard case .curves(let curves) = exhibit.content else { throw CancellationError() }
        return curves
    }

    private static func bars(_ exhibit: Exhibit) throws -> Exhibit.Bars {
        guard case .bars(let bars) = exhibit.content else { throw CancellationError() }
        return bars
    }

    @Test func positionErrorsByFrameAverageToThoseOfGroups() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.trajectory, in: folder)
            let report = try await sample.report(in: folder.path(of: "work"))
            try #require(report.exhibits.count == 2)
            let curves = try Self.curves(report.exhibits[0])
            #expect(
                curves.lines.map(\.name) == [
                    "model", "last-position", "straight-line", "ballistic",
                ]
            )
            for line in curves.lines { #expect(line.points.map(\.x) == (8..<16).map(Double.init)) }
            // The values of the PyTorch script, by groups of two frames.
            for row in try SampleEvaluation.expected().objects("position", maximum: 8) {
                let first = try row.integers("frames", in: 0...100, maximum: 2)[0] - 8
                for (line, name) in zip(
                    curves.lines,
                    ["model", "last_seen", "straight_line", "parabola"]
                ) {
                    let mean = (line.points[first].y + line.points[first + 1].y) / 2
                    #expect(abs(mean - (try row.object(name).number("mean"))) < 1e-3, "\(name)")
                }
            }
            guard case .paths(let paths) = report.exhibits[1].content else {
                throw CancellationError()
            }
            #expect(paths.map(\.sample) == [0, 1, 2, 3, 4, 5])
            for path in paths {
                #expect(path.seen.count == 8 && path.actual.count == 8)
                #expect(path.predicted.count == 8 && path.width == 32 && path.height == 32)
            }
            // Drawn paths are those that are measured.
            let first = zip(paths[0].actual, paths[0].predicted).map { actual, predicted in
                let (dx, dy) = (predicted.x - actual.x, predicted.y - actual.y)
                return (dx * dx + dy * dy).squareRoot()
            }
            let rows = try await sample.table(in: folder.path(of: "work")).rows("positions")
            #expect(first.count == 8 && first.allSatisfy(\.isFinite))
            #expect(
                paths[0].predicted.map(\.x)
                    == stride(from: 0, to: 16, by: 2).map { rows[0][$0] }
            )
        }
    }

    @Test func surpriseOverTimeIsThatOfTheColumns() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.surprise, in: folder)
            let report = try await sample.report(in: folder.path(of: "work"))
            let curves = try Self.curves(report.exhibits[0])
            #expect(
                curves.lines.map(\.name)
                    == ["possible", "teleport", "reversed", "frozen", "vanished"]
            )
            // One window of 16 frames: a column for each context.
            let rows = try await sample.table(in: folder.path(of: "work")).rows("possible")
            #expect(rows[0].count == 6)
            #expect(curves.lines[0].points.map(\.x) == [4, 6, 8, 10, 12, 14])
            for (column, point) in curves.lines[0].points.enumerated() {
                let mean = rows.reduce(0) { $0 + $1[column] } / Double(rows.count)
                #expect(abs(point.y - mean) < 1e-12)
            }
        }
    }

    /// The baselines of scikit-learn, which reports hold as ratios only.
    @Test func baselinesOfSeriesAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let expected = try SeriesEvaluation.expected()
            let anomaly = try await SeriesEvaluation(.anomaly).report(in: folder.path(of: "a"))
            for group in try Self.bars(anomaly.exhibits[0]).groups {
                #expect(group.bars.map(\.name) == ["model", "largest-z", "mahalanobis"])
                let area = try expected.object("areas").object(group.name).number("value")
                #expect(abs(group.bars[0].value - area) < 1e-9)
                for bar in group.bars.dropFirst() {
                    let ratio = try expected.object("ratios").object("\(bar.name), \(group.name)")
                    let wanted = 1 - (1 - area) * (try ratio.number("value"))
                    #expect(abs(bar.value - wanted) < 1e-9)
                    #expect(bar.value > 0 && bar.value <= 1)
                }
            }
            let retrieval = try await SeriesEvaluation(.retrieval).report(in: folder.path(of: "r"))
            let curves = try Self.curves(retrieval.exhibits[0])
            #expect(curves.lines.map(\.name) == ["model", "raw windows", "channel means"])
            for line in curves.lines {
                #expect(line.points.map(\.x) == [1, 5])
                let scores = try expected.object(line.name == "model" ? "retrieval" : line.name)
                for (point, name) in zip(line.points, ["1", "5"]) {
                    #expect(abs(point.y - (try scores.number(name))) < 1e-5, "\(line.name)")
                }
            }
        }
    }

    @Test func successesByStepsEndAtTheSuccessRate() async throws {
        let suite = try PlanningSuite(PlanningSuiteTests.definition())
        let data = EvaluationData.environment(.init(name: "two-rooms", version: 1))
        let table = PlanningSuiteTests.table([2, 0, 4, 3])
        let measured = try await ComputePool.shared.run { session in
            try suite.measure(table, on: data, in: session)
        }
        let exhibits = try await ComputePool.shared.run { session in
            try suite.exhibits(measured, table, on: data, in: session)
        }
        let lines = try Self.curves(exhibits[0]).lines
        #expect(lines[0].points.map(\.x) == [0, 1, 2, 3, 4])
        #expect(lines[0].points.map(\.y) == [0, 0, 0.25, 0.5, 0.75])
        #expect(lines[2].points.map(\.y) == [0, 0, 0, 1, 1])
        let rates = [measured[0], measured[2], measured[3]]
        #expect(lines.map { $0.points.last?.y } == rates.map(\.value))
        #expect(lines.map { $0.points.last?.interval } == rates.map(\.interval))
    }

    /// The places of a plan are those of the environment under its actions, and the straight way is that of the policy.
    @Test func waysAreThoseOfTheEpisodes() async throws {
        try await TemporaryFolder.with { folder in
            let run = try await PlanningSuiteTests.run(PlanningSuiteTests.definition())
            let work = folder.path(of: "work")
            try await run.compute(in: work)
            let report = try await run.report(from: [work])
            guard case .routes(let routes) = report.exhibits[1].content else {
                throw ZooError(.fieldInvalid, "no routes")
            }
            #expect(routes.map(\.sample) == Array(0..<5))
            let suite = try PlanningSuite(PlanningSuiteTests.definition())
            for route in routes {
                var environment = try #require(
                    suite.episode(suite.seed(ofEpisode: route.sample)) as? TwoRooms
                )
                let (start, goal) = (environment.place, environment.goal)
                #expect(route.goal == Exhibit.Paths.Position(x: goal.x, y: goal.y))
                #expect(abs(route.planned[0].x - start.x) < 1e-5)
                #expect(abs(route.planned[0].y - start.y) < 1e-5)
                #expect(route.planned.count == (route.steps ?? suite.steps) + 1)
                for (before, after) in zip(route.planned, route.planned.dropFirst()) {
                    // At most 2 px a step along each axis, and never inside of the wall.
                    #expect(abs(after.x - before.x) < 2.001 && abs(after.y - before.y) < 2.001)
                    let isInWall = after.x > 13.51 && after.x < 18.49
                    #expect(!isInWall || abs(after.y - environment.door) < 2.51)
                }
                for position in route.baseline.dropFirst() {
                    environment.step(environment.straightAction)
                    #expect(
                        position
                            == Exhibit.Paths.Position(
                                x: environment.place.x,
                                y: environment.place.y
                            )
                    )
                }
                // What is drawn as a wall has the colour of the wall.
                let picture = environment.picture
                for wall in route.walls {
                    let (row, column) = (
                        Int(wall.y + wall.height / 2), Int(wall.x + wall.width / 2)
                    )
                    let pixel = (row * picture.width + column) * 3
                    #expect(picture.pixels[pixel] == 208, "\(wall)")
                }
            }
        }
    }

    /// Each point is the probe of scikit-learn on these labels alone.
    @Test(arguments: [ProbeEvaluation.Kind.classification, .regression])
    func learningCurvesAreThoseOfScikitLearn(_ kind: ProbeEvaluation.Kind) async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(kind).report(in: folder.path(of: "work"))
            let curves = try Self.curves(report.exhibits[0])
            #expect(curves.lines.map(\.name) == ["model", "raw"])
            let (task, metric) =
                kind == .regression ? ("life", "rmse") : ("stage", "accuracy")
            for line in curves.lines {
                let expected = try ProbeEvaluation.expected().object("\(task), \(line.name)")
                let curve = try expected.object("curve")
                let last = try #require(line.points.last)
                #expect(last.x == 240)
                #expect(abs(last.y - (try expected.number(metric))) < 1e-4)
                #expect(line.points.count == 5)
                for point in line.points.dropLast() {
                    let wanted = try curve.number("\(Int(point.x))")
                    #expect(abs(point.y - wanted) < 1e-4, "\(line.name), \(point.x) labels")
                    let interval = try #require(point.interval)
                    #expect(interval.low <= point.y && point.y <= interval.high)
                }
            }
        }
    }
}
