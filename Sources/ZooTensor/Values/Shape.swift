// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The extents of a tensor, outermost first; no extents at all is a single number.
public struct Shape: Hashable, Sendable {
    /// The extents, each at least 0.
    public let extents: [Int]

    /// Wraps extents that the caller knows to be non-negative and to have a countable product.
    public init(_ extents: [Int]) {
        precondition(
            Self.elementCount(of: extents) != nil,
            "a tensor cannot have the extents \(extents)"
        )
        self.extents = extents
    }

    /// Checks extents that were read from somewhere.
    ///
    /// - Returns: nil when an extent is negative or the number of elements overflows.
    public init?(checking extents: [Int]) {
        guard Self.elementCount(of: extents) != nil else { return nil }
        self.extents = extents
    }

    /// The number of extents.
    public var rank: Int { extents.count }

    /// The number of elements, 1 for a single number.
    public var elementCount: Int { extents.reduce(1, *) }

    /// The extent of one axis.
    public subscript(axis: Int) -> Int { extents[axis] }

    /// The size in bytes of elements of `type` in this shape.
    ///
    /// - Returns: nil when it overflows or is not a whole number of bytes.
    public func byteCount(of type: DType) -> Int? {
        let (bits, overflow) = elementCount.multipliedReportingOverflow(by: type.bitWidth)
        return overflow || bits % 8 != 0 ? nil : bits / 8
    }

    /// The product, or nil when an extent is negative or the product of the non-zero extents
    /// overflows: a zero must not hide that the other extents are absurd.
    private static func elementCount(of extents: [Int]) -> Int? {
        var product = 1
        var hasZero = false
        for extent in extents {
            guard extent >= 0 else { return nil }
            guard extent > 0 else {
                hasZero = true
                continue
            }
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            product = next
        }
        return hasZero ? 0 : product
    }
}

extension Shape: ExpressibleByArrayLiteral {
    /// The shape with these extents.
    public init(arrayLiteral extents: Int...) { self.init(extents) }
}

extension Shape: CustomStringConvertible {
    /// `[2, 3, 4]`.
    public var description: String { "\(extents)" }
}
