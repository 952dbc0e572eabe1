// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Scalar functions without branches or library calls, so that the loops around them vectorise.

#ifndef AMI_VECTOR_MATH_H
#define AMI_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

static inline __attribute__((always_inline)) uint32_t ami_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline __attribute__((always_inline)) float ami_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/// exp(high + low) for high <= 0 and a `low` far smaller than `high`, with an error of about one unit in the
/// last place; zero below -87, where the result would be subnormal. A NaN stays a NaN.
///
/// exp(v) = 2^n exp(r), n = round(v / ln 2), |r| <= ln 2 / 2. The polynomial is a minimax fit of
/// (exp(r) - 1 - r) / r^2 with relative error 3e-9 on exp. Adding 1.5 * 2^23 rounds to an integer and leaves
/// that integer in the low bits of the sum.
static inline __attribute__((always_inline)) float ami_exp_nonpositive(float high, float low) {
    const float round_to_integer = 12582912.0f;
    float clamped = high < -87.0f ? -87.0f : high;
    float shifted = clamped * 0x1.715476p+0f + round_to_integer;
    float n = shifted - round_to_integer;
    float r = clamped - n * 0x1.62e400p-1f;
    r = r + n * -0x1.7f7d1cp-20f;
    r = r + low;
    float p = 0x1.6a2444p-10f;
    p = p * r + 0x1.1239d6p-7f;
    p = p * r + 0x1.5558f2p-5f;
    p = p * r + 0x1.555492p-3f;
    p = p * r + 0x1.fffffcp-2f;
    p = (p * r) * r + r;
    p = p + 1.0f;
    float result = ami_float(ami_bits(p) + (ami_bits(shifted) << 23));
    return high < -87.0f ? 0.0f : result;
}

#endif
