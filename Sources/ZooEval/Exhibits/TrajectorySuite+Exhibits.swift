// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

extension TrajectorySuite {
    /// The number of clips whose paths are drawn.
    private static let drawn = 6

    /// The position error by frame, of the model and of the baselines; and the paths of some clips.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] {
        let (positions, _, all) = try truth(data)
        let predictions = try table.rows("positions")
        let hidden = frames - context
        let size = try samples(data).clipSize("frames")
        var model = Array(repeating: [Double](), count: hidden)
        var others = Baseline.allCases.map { _ in Array(repeating: [Double](), count: hidden) }
        var paths: [Exhibit.Paths] = []
        // Clips at equal distances, so that those of every part of the split are seen.
        let step = max(1, all.count / Self.drawn)
        for sample in all {
            let path = (0..<frames).map { frame in
                let start = (sample * frames + frame) * 2
                return (x: Double(positions[start]), y: Double(positions[start + 1]))
            }
            let seen = Array(path[..<context])
            let predicted = (0..<hidden).map {
                (x: predictions[sample][2 * $0], y: predictions[sample][2 * $0 + 1])
            }
            for frame in 0..<hidden {
                func error(_ guess: (x: Double, y: Double)) -> Double {
                    let (dx, dy) = (
                        guess.x - path[context + frame].x, guess.y - path[context + frame].y
                    )
                    return (dx * dx + dy * dy).squareRoot()
                }
                model[frame].append(error(predicted[frame]))
                for (index, baseline) in Baseline.allCases.enumerated() {
                    others[index][frame].append(error(baseline.position(seen, Double(frame + 1))))
                }
            }
            if sample.isMultiple(of: step), paths.count < Self.drawn {
                paths.append(
                    Exhibit.Paths(
                        sample: sample,
                        of: (size.width, size.height),
                        seen: seen.map(Exhibit.Paths.Position.init),
                        actual: path[context...].map(Exhibit.Paths.Position.init),
                        predicted: predicted.map(Exhibit.Paths.Position.init)
                    )
                )
            }
        }
        let names = ["model"] + Baseline.allCases.map(\.rawValue)
        let lines = zip(names, [model] + others).map { name, errors in
            Exhibit.Line(
                name,
                errors.enumerated().map { Exhibit.Point(Double(context + $0), meanOf: $1) }
            )
        }
        return [
            Exhibit(
                "Position error by frame; the model sees the frames before \(context)",
                .curves(
                    Exhibit.Curves(horizontal: "frame", vertical: "position error in px", lines)
                )
            ),
            Exhibit("Predicted paths of \(paths.count) clips", .paths(paths)),
        ]
    }
}
