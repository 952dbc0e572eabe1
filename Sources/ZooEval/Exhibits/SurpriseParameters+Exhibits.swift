// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels

extension SurpriseParameters {
    /// The number of kinds whose surprise is drawn over time.
    private static let drawn = 5

    /// The prediction error over time, of possible clips and of each kind.
    func exhibits(_ table: SampleTable, on data: EvaluationData) throws -> [Exhibit] {
        let starts = try method.starts(frames: try pairs(data).frames())
        // The columns [windows · contexts] by their first predicted frame.
        var columns: [Int: [Int]] = [:]
        for (window, start) in starts.enumerated() {
            for (index, context) in method.contexts.enumerated() {
                columns[start + context, default: []].append(
                    window * method.contexts.count + index
                )
            }
        }
        func line(_ name: String, _ rows: [[Double]]) -> Exhibit.Line {
            Exhibit.Line(
                name,
                columns.sorted { $0.key < $1.key }.map { frame, columns in
                    Exhibit.Point(
                        Double(frame),
                        meanOf: rows.map { row in
                            columns.reduce(0) { $0 + row[$1] } / Double(columns.count)
                        }
                    )
                }
            )
        }
        let impossible = try table.rows("impossible")
        let shown = zip(kinds, try samplesOfKinds(data)).prefix(Self.drawn)
        let lines =
            [line("possible", try table.rows("possible"))]
            + shown.map { kind, samples in line(kind, samples.map { impossible[$0] }) }
        return [
            Exhibit(
                "Surprise over time, of possible clips and of "
                    + (kinds.count > Self.drawn ? "the first \(Self.drawn) kinds" : "each kind"),
                .curves(
                    Exhibit.Curves(
                        horizontal: "first predicted frame",
                        vertical: "mean \(error.rawValue) prediction error",
                        lines
                    )
                )
            )
        ]
    }
}
