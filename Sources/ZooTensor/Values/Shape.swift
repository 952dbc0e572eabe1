// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The sizes of a tensor, outermost first; no sizes at all is a single number.
public struct Shape: Hashable, Sendable {
    /// The sizes, each at least 0.
    public let sizes: [Int]

    /// Wraps sizes that the caller knows to be non-negative and to have a countable product.
    public init(_ sizes: [Int]) {
        precondition(
            Self.elementCount(of: sizes) != nil,
            "a tensor cannot have the sizes \(sizes)"
        )
        self.sizes = sizes
    }

    /// Checks sizes that were read from somewhere.
    ///
    /// - Returns: nil when an size is negative or the number of elements overflows.
    public init?(checking sizes: [Int]) {
        guard Self.elementCount(of: sizes) != nil else { return nil }
        self.sizes = sizes
    }

    /// The number of sizes.
    public var rank: Int { sizes.count }

    /// The number of elements, 1 for a single number.
    public var elementCount: Int { sizes.reduce(1, *) }

    /// The size of one axis.
    public subscript(axis: Int) -> Int { sizes[axis] }

    /// The size in bytes of elements of `type` in this shape.
    ///
    /// - Returns: nil when it overflows or is not a whole number of bytes.
    public func byteCount(of type: DType) -> Int? {
        let (bits, overflow) = elementCount.multipliedReportingOverflow(by: type.bitWidth)
        return overflow || bits % 8 != 0 ? nil : bits / 8
    }

    /// The product, or nil when an size is negative or the product of the non-zero sizes
    /// overflows: a zero must not hide that the other sizes are absurd.
    private static func elementCount(of sizes: [Int]) -> Int? {
        var product = 1
        var hasZero = false
        for size in sizes {
            guard size >= 0 else { return nil }
            guard size > 0 else {
                hasZero = true
                continue
            }
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard !overflow else { return nil }
            product = next
        }
        return hasZero ? 0 : product
    }
}

extension Shape: ExpressibleByArrayLiteral {
    /// The shape with these sizes.
    public init(arrayLiteral sizes: Int...) { self.init(sizes) }
}

extension Shape: CustomStringConvertible {
    /// `[2, 3, 4]`.
    public var description: String { "\(sizes)" }
}
