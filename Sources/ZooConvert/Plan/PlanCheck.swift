// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

extension ConversionPlan {
    /// Checks that the upstream files have exactly the tensors of the plan, with their shapes.
    ///
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch`; the message lists all missing
    ///   and unexpected tensors and those with other shapes.
    func requireFit(_ sources: [Source: UpstreamTensors]) throws(ZooError) {
        var problems: [String] = []
        var known: [Place: Set<String>] = [:]
        for part in parts {
            let place = Place(source: part.source, group: part.group)
            known[place, default: []].formUnion(part.dropped)
            guard let group = sources[part.source]?.groups[part.group] else {
                problems.append("'\(part.group)' is missing")
                continue
            }
            for wanted in part.rules.flatMap(\.upstream) {
                known[place, default: []].insert(wanted.name)
                guard let found = group.tensors[wanted.name] else {
                    problems.append("\(place.label)'\(wanted.name)' \(wanted.shape) is missing")
                    continue
                }
                if found.shape.sizes != wanted.shape {
                    problems.append(
                        "\(place.label)'\(wanted.name)' is \(found.shape.sizes) and must be "
                            + "\(wanted.shape)"
                    )
                }
            }
        }
        for (place, names) in known.sorted(by: { $0.key.group < $1.key.group }) {
            let found = sources[place.source]?.groups[place.group]?.tensors.keys.sorted() ?? []
            problems += found.filter { !names.contains($0) }
                .map { "\(place.label)'\($0)' is not part of the model" }
        }
        guard !problems.isEmpty else { return }
        let shown = problems.prefix(50).map { "\n  " + $0 }.joined()
        let more = problems.count > 50 ? "\n  and \(problems.count - 50) more" : ""
        throw ZooError(
            .conversionTensorsMismatch,
            "the tensors do not match a \(family) model of variant \(variant):\(shown)\(more)",
            remedy: "to convert another family or component, use --family or --component"
        )
    }
}

/// A state dict in one of the files.
private struct Place: Hashable {
    let source: ConversionPlan.Source
    let group: String

    /// The prefix of messages about it.
    var label: String { group == UpstreamTensors.whole ? "" : "\(group): " }
}
