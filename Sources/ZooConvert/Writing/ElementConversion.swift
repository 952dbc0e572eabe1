// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooTensor

/// Converts floating-point elements between dtypes.
///
/// Rounds to nearest, ties to even (IEEE 754).
package struct ElementConversion {
    /// The source dtype.
    let source: DType
    /// The target dtype.
    let target: DType
    /// The largest absolute difference between an element before and after; NaNs are ignored.
    package private(set) var largestChange = 0.0
    private var output: [UInt8] = []

    /// A conversion from F32, F64, BF16, F16, F8_E4M3 or F8_E5M2 to F32, BF16 or F16; nil for other
    /// dtypes.
    package init?(from source: DType, to target: DType) {
        guard Self.isFloatingPoint(source), [.f32, .bf16, .f16].contains(target) else { return nil }
        self.source = source
        self.target = target
    }

    /// Whether elements of a dtype are converted; integers never are.
    package static func isFloatingPoint(_ dtype: DType) -> Bool {
        [.f32, .f64, .bf16, .f16, .f8E4M3, .f8E5M2].contains(dtype)
    }

    /// Whether a dtype is a float of 8 bits or fewer that is not converted; most of them mean nothing
    /// without the scales that other tensors hold.
    static func isOtherSmallFloat(_ dtype: DType) -> Bool {
        [.f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ, .f4, .f6E2M3, .f6E3M2].contains(dtype)
    }

    /// Converts some elements.
    ///
    /// - Parameters:
    ///   - span: whole elements, little-endian.
    ///   - name: the tensor, for messages.
    ///   - body: receives the converted bytes, which are valid during the call.
    /// - Throws: ``ZooError`` with code `convert.overflow` if a finite number would become
    ///   infinite, or what `body` throws.
    package mutating func convert(
        _ span: RawSpan,
        of name: String,
        _ body: (RawSpan) throws -> Void
    ) throws {
        let width = source.bitWidth / 8
        let count = span.byteCount / width
        output.removeAll(keepingCapacity: true)
        output.reserveCapacity(count * target.bitWidth / 8)
        for index in 0..<count {
            let value = Self.value(span, at: index * width, source)
            let changed = append(value)
            guard changed.isFinite || !value.isFinite else {
                throw ZooError(
                    .conversionOverflow,
                    "'\(name)' holds \(value), which \(target.rawValue) cannot represent",
                    remedy: "keep the dtype, or choose bf16, which has the range of f32"
                )
            }
            if value.isFinite { largestChange = max(largestChange, abs(value - changed)) }
        }
        try body(unsafe output.span.bytes)
    }

    /// Reads an element as float64, which represents every source dtype exactly.
    private static func value(_ span: RawSpan, at offset: Int, _ dtype: DType) -> Double {
        switch dtype {
        case .f64: Double(bitPattern: word(span, offset))
        case .f32: Double(Float(bitPattern: word(span, offset)))
        case .f16: Double(Float16(bitPattern: word(span, offset)))
        // Has the exponent of F16, and two bits of its mantissa.
        case .f8E5M2: Double(Float16(bitPattern: UInt16(word(span, offset) as UInt8) << 8))
        case .f8E4M3: float8(word(span, offset))
        default: Double(Float(bitPattern: UInt32(word(span, offset) as UInt16) << 16))
        }
    }

    /// Reads an E4M3 element, as PyTorch's `float8_e4m3fn`.
    ///
    /// The bias is 7, there is no infinity, and NaN has all bits set but the sign. Source:
    /// Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433, table 1.
    private static func float8(_ bits: UInt8) -> Double {
        let (exponent, mantissa) = (Int(bits >> 3 & 0xF), Double(bits & 7))
        guard bits & 0x7F != 0x7F else { return .nan }
        let size =
            exponent == 0
            ? Double(sign: .plus, exponent: -9, significand: mantissa)
            : Double(sign: .plus, exponent: exponent - 10, significand: 8 + mantissa)
        return bits & 0x80 == 0 ? size : -size
    }

    private static func word<Word: FixedWidthInteger & BitwiseCopyable>(
        _ span: RawSpan,
        _ offset: Int
    ) -> Word {
        Word(littleEndian: unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
    }

    /// Appends a number in the target dtype and returns the rounded value.
    private mutating func append(_ value: Double) -> Double {
        switch target {
        case .f32:
            let changed = Float(value)
            append(changed.bitPattern)
            return Double(changed)
        case .f16:
            let changed = Float16(value)
            append(changed.bitPattern)
            return Double(changed)
        default:
            let bits = Self.bfloat16(value)
            append(bits)
            return Double(Float(bitPattern: UInt32(bits) << 16))
        }
    }

    private mutating func append<Word: FixedWidthInteger>(_ word: Word) {
        for byte in 0..<Word.bitWidth / 8 {
            output.append(UInt8(truncatingIfNeeded: word >> (8 * byte)))
        }
    }

    /// Rounds to the upper half of a float32.
    ///
    /// The first step rounds to odd, which avoids double rounding in the second step.
    private static func bfloat16(_ value: Double) -> UInt16 {
        guard !value.isNaN else { return 0x7FC0 }
        var bits = Float(value).bitPattern
        let rounded = Double(Float(bitPattern: bits))
        if rounded != value, value.isFinite {
            if abs(rounded) > abs(value) { bits -= 1 }
            bits |= 1
        }
        guard bits & 0x7F80_0000 != 0x7F80_0000 else { return UInt16(bits >> 16) }
        return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}
