// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The sizes of a tensor, outermost first; a scalar has no sizes.
public struct Shape: Hashable, Sendable {
    /// The sizes, each at least 0.
    public let sizes: [Int]

    /// Creates a shape from non-negative sizes whose product does not overflow.
    public init(_ sizes: [Int]) {
        precondition(
            Self.elementCount(of: sizes) != nil,
            "a tensor cannot have the sizes \(sizes)"
        )
        self.sizes = sizes
    }

    /// Creates a shape from untrusted sizes.
    ///
    /// - Returns: nil if a size is negative or the number of elements overflows.
    public init?(checking sizes: [Int]) {
        guard Self.elementCount(of: sizes) != nil else { return nil }
        self.sizes = sizes
    }

    /// The number of axes.
    public var rank: Int { sizes.count }

    /// The number of elements; 1 for a scalar.
    public var elementCount: Int { sizes.reduce(1, *) }

    /// The size of one axis.
    public subscript(axis: Int) -> Int { sizes[axis] }

    /// The size in bytes of elements of `type` in this shape.
    ///
    /// - Returns: nil if it overflows or is not a whole number of bytes.
    public func byteCount(of type: DType) -> Int? {
        let (bits, overflow) = elementCount.multipliedReportingOverflow(by: type.bitWidth)
        return overflow || bits % 8 != 0 ? nil : bits / 8
    }

    /// The product, or nil if a size is negative or the product of the non-zero sizes overflows.
    ///
    /// Zeros are left out of the overflow check, so that they cannot hide invalid sizes.
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
