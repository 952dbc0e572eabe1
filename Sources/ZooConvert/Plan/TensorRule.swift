// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The name and the required shape of a tensor.
package struct NamedShape: Sendable, Equatable {
    /// The name.
    package let name: String
    /// The shape, outermost size first.
    package let shape: [Int]

    package init(_ name: String, _ shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    var elementCount: Int { shape.reduce(1, *) }
}

/// Upstream and released tensors with equal elements.
///
/// The elements are equal when the tensors of each side are concatenated in row-major order. This
/// covers renaming (one to one), splitting a fused matrix along its first axis (one to many) and
/// stacking tokens (many to one), in both directions.
package struct TensorRule: Sendable, Equatable {
    /// The upstream tensors, with their clean names in their group.
    package let upstream: [NamedShape]
    /// The tensors of the release, with their full names.
    package let released: [NamedShape]
}

/// A builder for the rules of one network.
struct RuleList {
    private(set) var rules: [TensorRule] = []
    /// The prefix of every released name.
    let prefix: String

    init(prefix: String = "") { self.prefix = prefix }

    /// Adds a tensor with a new name, or with its own.
    mutating func keep(_ name: String, _ shape: [Int], as newName: String? = nil) {
        let released = NamedShape(prefix + (newName ?? name), shape)
        rules.append(TensorRule(upstream: [NamedShape(name, shape)], released: [released]))
    }

    /// Adds a tensor that is split into equal parts along its first axis.
    mutating func split(_ name: String, _ shape: [Int], into newNames: [String]) {
        let part = [shape[0] / newNames.count] + shape.dropFirst()
        rules.append(
            TensorRule(
                upstream: [NamedShape(name, shape)],
                released: newNames.map { NamedShape(prefix + $0, part) }
            )
        )
    }

    /// Adds tensors that are stacked along a new first axis.
    mutating func stack(_ names: [String], _ shape: [Int], into newName: String) {
        rules.append(
            TensorRule(
                upstream: names.map { NamedShape($0, shape) },
                released: [NamedShape(prefix + newName, [names.count] + shape)]
            )
        )
    }

    /// Adds the weight [outputs, inputs] and the bias of a linear layer.
    mutating func linear(
        _ name: String,
        _ outputs: Int,
        _ inputs: Int,
        as newName: String? = nil,
        hasBias: Bool = true
    ) {
        keep("\(name).weight", [outputs, inputs], as: newName.map { "\($0).weight" })
        if hasBias { keep("\(name).bias", [outputs], as: newName.map { "\($0).bias" }) }
    }

    /// Adds the weight and bias of a norm.
    mutating func norm(_ name: String, _ width: Int, as newName: String? = nil) {
        keep("\(name).weight", [width], as: newName.map { "\($0).weight" })
        keep("\(name).bias", [width], as: newName.map { "\($0).bias" })
    }

    /// Adds the weight and bias of a convolution.
    mutating func convolution(_ name: String, _ shape: [Int], as newName: String? = nil) {
        keep("\(name).weight", shape, as: newName.map { "\($0).weight" })
        keep("\(name).bias", [shape[0]], as: newName.map { "\($0).bias" })
    }

    /// Adds a fused query, key and value projection, [3 · width, width], that is split.
    mutating func splitLinear(
        _ name: String,
        _ outputs: Int,
        _ inputs: Int,
        into newNames: [String]
    ) {
        split("\(name).weight", [outputs, inputs], into: newNames.map { "\($0).weight" })
        split("\(name).bias", [outputs], into: newNames.map { "\($0).bias" })
    }

    /// Rules that keep every released tensor unchanged, for a file in the released layout.
    var identity: [TensorRule] {
        rules.flatMap(\.released).map { TensorRule(upstream: [$0], released: [$0]) }
    }
}
