// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A name and the sizes it must have.
package struct NamedShape: Sendable, Equatable {
    /// The name.
    package let name: String
    /// The sizes, outermost first.
    package let shape: [Int]

    package init(_ name: String, _ shape: [Int]) {
        self.name = name
        self.shape = shape
    }

    var elementCount: Int { shape.reduce(1, *) }
}

/// Equal elements under two sets of names: read in row-major order one after the other, the tensors
/// of upstream are those of the release.
///
/// That covers a new name (one to one), a fused matrix that is taken apart along its first axis
/// (one to several) and tokens that are stacked (several to one), in both directions.
package struct TensorRule: Sendable, Equatable {
    /// The tensors upstream, by clean name in their group.
    package let upstream: [NamedShape]
    /// The tensors of the release, by full name.
    package let released: [NamedShape]
}

/// The rules of one network, in the making.
struct RuleList {
    private(set) var rules: [TensorRule] = []
    /// What every released name begins with.
    let prefix: String

    init(prefix: String = "") { self.prefix = prefix }

    /// A tensor under a new name, or its own.
    mutating func keep(_ name: String, _ shape: [Int], as newName: String? = nil) {
        let released = NamedShape(prefix + (newName ?? name), shape)
        rules.append(TensorRule(upstream: [NamedShape(name, shape)], released: [released]))
    }

    /// A tensor taken apart along its first axis into equal parts.
    mutating func split(_ name: String, _ shape: [Int], into newNames: [String]) {
        let part = [shape[0] / newNames.count] + shape.dropFirst()
        rules.append(
            TensorRule(
                upstream: [NamedShape(name, shape)],
                released: newNames.map { NamedShape(prefix + $0, part) }
            )
        )
    }

    /// Tensors stacked along a new first axis.
    mutating func stack(_ names: [String], _ shape: [Int], into newName: String) {
        rules.append(
            TensorRule(
                upstream: names.map { NamedShape($0, shape) },
                released: [NamedShape(prefix + newName, [names.count] + shape)]
            )
        )
    }

    /// Weight [outputs, inputs] and bias of a linear map.
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

    /// Weight and bias of a norm.
    mutating func norm(_ name: String, _ width: Int, as newName: String? = nil) {
        keep("\(name).weight", [width], as: newName.map { "\($0).weight" })
        keep("\(name).bias", [width], as: newName.map { "\($0).bias" })
    }

    /// Weight and bias of a convolution.
    mutating func convolution(_ name: String, _ shape: [Int], as newName: String? = nil) {
        keep("\(name).weight", shape, as: newName.map { "\($0).weight" })
        keep("\(name).bias", [shape[0]], as: newName.map { "\($0).bias" })
    }

    /// A fused map to queries, keys and values, [3 · width, width], taken apart.
    mutating func splitLinear(
        _ name: String,
        _ outputs: Int,
        _ inputs: Int,
        into newNames: [String]
    ) {
        split("\(name).weight", [outputs, inputs], into: newNames.map { "\($0).weight" })
        split("\(name).bias", [outputs], into: newNames.map { "\($0).bias" })
    }

    /// The rules that keep every released tensor as it is: for a file in the released layout.
    var identity: [TensorRule] {
        rules.flatMap(\.released).map { TensorRule(upstream: [$0], released: [$0]) }
    }
}
