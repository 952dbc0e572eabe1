// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// Holds results against infinities and numbers that are none, which neither JSON nor a curve can show.
enum Finite {
    /// Checks numbers that a model computed.
    ///
    /// - Throws: ``ZooError`` with code `output.not-finite`.
    static func require(_ values: some Sequence<Float>, of what: String) throws(ZooError) {
        guard values.allSatisfy(\.isFinite) else {
            throw ZooError(
                .outputNotFinite,
                "the model's results for \(what) hold numbers that are infinite or not numbers",
                remedy: "check the input's values; if they are right, the weights are damaged"
            )
        }
    }

    /// Checks a tensor that a model computed.
    ///
    /// - Throws: ``ZooError`` with code `output.not-finite`.
    static func require(_ tensor: Tensor, of what: String) throws(ZooError) {
        try require(tensor.isFinite ? [] : [.nan], of: what)
    }
}

extension Tensor {
    /// Whether all elements are numbers, and finite.
    var isFinite: Bool {
        withValues { values in values.indices.allSatisfy { values[$0].isFinite } }
    }
}

extension JSONValue {
    /// A number in as few digits as tell it from its neighbours.
    static func float(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
}
