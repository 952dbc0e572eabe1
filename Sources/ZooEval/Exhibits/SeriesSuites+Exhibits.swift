// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

extension AnomalySuite {
    /// The area under the curve by kind, of the model and of the baselines.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] {
        let baselines = RawSeriesScores.Kind.allCases
        let groups = titles.enumerated().map { index, title in
            let found = measurements[index]
            let ratios = measurements[(titles.count + index * baselines.count)...]
            let model = Exhibit.Bar("model", found.value, found.interval)
            // The ratio to a model without error says nothing about the baseline.
            guard found.value < 1 else { return Exhibit.Group(title, [model]) }
            return Exhibit.Group(
                title,
                [model]
                    + zip(baselines, ratios).map { baseline, ratio in
                        Exhibit.Bar(baseline.rawValue, 1 - ratio.value * (1 - found.value))
                    }
            )
        }
        return [
            Exhibit(
                "AUROC by kind, of the model and of scores on raw channels",
                .bars(Exhibit.Bars("AUROC", groups))
            )
        ]
    }
}

extension RetrievalSuite {
    /// The precision by the number of neighbours, of the model and of the baselines.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] {
        guard neighbours.count > 1 else { return [] }
        let order = neighbours.indices.sorted { neighbours[$0] < neighbours[$1] }
        func line(_ name: String, _ point: (Int) -> Exhibit.Point?) -> Exhibit.Line {
            Exhibit.Line(name, order.compactMap(point))
        }
        let model = line("model") { index in
            Exhibit.Point(
                Double(neighbours[index]),
                measurements[index].value,
                measurements[index].interval
            )
        }
        let metrics = neighbours.count + 1
        let others = Baseline.allCases.enumerated().map { number, baseline in
            line(baseline.rawValue) { index in
                let ratio = measurements[(number + 1) * metrics + index].value
                // Nothing is known about a baseline beside a model that finds nothing.
                guard ratio > 0 else { return nil }
                return Exhibit.Point(
                    Double(neighbours[index]),
                    measurements[index].value / ratio
                )
            }
        }
        return [
            Exhibit(
                "Precision by the number of neighbours",
                .curves(
                    Exhibit.Curves(
                        horizontal: "neighbours",
                        vertical: "precision",
                        [model] + others
                    )
                )
            )
        ]
    }
}
