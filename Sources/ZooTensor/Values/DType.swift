// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The element types that checkpoints store, named as safetensors names them.
public enum DType: String, Sendable, CaseIterable, Hashable {
    /// One byte, 0 or 1.
    case bool = "BOOL"
    /// Unsigned 8-bit integer.
    case u8 = "U8"
    /// Signed 8-bit integer.
    case i8 = "I8"
    /// 8-bit float, 5 exponent and 2 mantissa bits.
    case f8E5M2 = "F8_E5M2"
    /// 8-bit float, 4 exponent and 3 mantissa bits.
    case f8E4M3 = "F8_E4M3"
    /// 8-bit power of two, exponent only.
    case f8E8M0 = "F8_E8M0"
    /// 8-bit float, 4 exponent and 3 mantissa bits, no infinities, no negative zero.
    case f8E4M3FNUZ = "F8_E4M3FNUZ"
    /// 8-bit float, 5 exponent and 2 mantissa bits, no infinities, no negative zero.
    case f8E5M2FNUZ = "F8_E5M2FNUZ"
    /// Signed 16-bit integer.
    case i16 = "I16"
    /// Unsigned 16-bit integer.
    case u16 = "U16"
    /// IEEE 754 half precision.
    case f16 = "F16"
    /// The upper half of a float32.
    case bf16 = "BF16"
    /// Signed 32-bit integer.
    case i32 = "I32"
    /// Unsigned 32-bit integer.
    case u32 = "U32"
    /// IEEE 754 single precision, the dtype of all computations.
    case f32 = "F32"
    /// Signed 64-bit integer.
    case i64 = "I64"
    /// Unsigned 64-bit integer.
    case u64 = "U64"
    /// IEEE 754 double precision.
    case f64 = "F64"
    /// A pair of float32: real and imaginary part.
    case c64 = "C64"
    /// A pair of float64; PyTorch has it, safetensors does not.
    case c128 = "C128"
    /// 4-bit float, two to a byte.
    case f4 = "F4"
    /// 6-bit float, 2 exponent and 3 mantissa bits.
    case f6E2M3 = "F6_E2M3"
    /// 6-bit float, 3 exponent and 2 mantissa bits.
    case f6E3M2 = "F6_E3M2"

    /// The size of one element, in bits.
    public var bitWidth: Int {
        switch self {
        case .f4: 4
        case .f6E2M3, .f6E3M2: 6
        case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
        case .i16, .u16, .f16, .bf16: 16
        case .i32, .u32, .f32: 32
        case .i64, .u64, .f64, .c64: 64
        case .c128: 128
        }
    }

    /// Whether models can compute with weights of this dtype: float32, float16 or bfloat16.
    public var isComputable: Bool { self == .f32 || self == .f16 || self == .bf16 }
}
