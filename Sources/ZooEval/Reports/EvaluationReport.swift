// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a suite measured.
package struct EvaluationReport: Sendable {
    /// The name of the document format.
    package static let format = "ami-zoo.evaluation/1"

    /// The digest of the manifest of the model.
    package let model: ContentDigest
    /// What was measured on what.
    package let definition: SuiteDefinition
    /// The samples: `data` of the definition, for held data with the digests of their files.
    package let data: JSONValue
    /// The numbers, in the order of the definition.
    package let measurements: [Measurement]
    /// The kernels that computed them: `portable`, `avx2` or `avx512`, each once, sorted.
    package let kernels: [String]
    /// The versions of the libraries that decoded the samples, by name; empty if none did.
    package let decoders: [String: String]
    /// What identifies the published probe that was measured with the model; nil for none.
    package let probe: ContentDigest?
    /// What to show beside the numbers.
    package let exhibits: [Exhibit]

    /// The document, without times: two runs on one machine give equal bytes.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "format": .string(Self.format),
            "model": .string(model.description),
            "name": .string(definition.name),
            "suite": .string(definition.suite.name),
            "suiteVersion": .integer(definition.suite.version),
            "suiteDigest": .string(definition.digest.description),
            "data": data,
            "metrics": .array(measurements.map(\.json)),
            "kernels": .array(kernels.map { .string($0) }),
            "precision": "f32",
        ]
        if !decoders.isEmpty { members["decoders"] = .object(decoders.mapValues(JSONValue.string)) }
        if let probe { members["probe"] = .string(probe.description) }
        return .object(members)
    }
}

extension Measurement {
    var json: JSONValue {
        guard case .object(var members) = metric.json else { return metric.json }
        members["value"] = .number(value)
        members["samples"] = .integer(samples)
        if let interval {
            members["interval"] = [
                "low": .number(interval.low), "high": .number(interval.high),
                "level": .number(0.95),
            ]
        }
        if let limit {
            members["limit"] = ["value": .number(limit.value), "reason": .string(limit.reason)]
        }
        return .object(members)
    }
}
