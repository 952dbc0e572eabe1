// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The default model card of a converted checkpoint.
struct ConversionCard {
    let text: String

    init(_ converter: Converter, _ proof: ConversionProof) {
        let plan = converter.plan
        let rows = plan.parts.map { part -> String in
            let facts = proof.components[part.component]
            return "| \(part.component) | `\(part.group)` | \(facts?.tensors ?? 0) "
                + "| \(facts?.parameters ?? 0) | `\(facts?.fingerprint.description ?? "")` |"
        }
        text = """
            # \(converter.identity.name)

            \(plan.family), \(plan.variant): weights converted from an upstream checkpoint. Nothing is known about
            their licence, training or quality beyond what upstream says.

            | component | taken from | tensors | numbers | fingerprint |
            |---|---|---|---|---|
            \(rows.joined(separator: "\n"))

            Fingerprint of the upstream tensors: `\(proof.sourceFingerprint)`.
            `ami-zoo verify DIR --against FILE` proves that this folder holds the tensors of the upstream file.

            """
    }
}
