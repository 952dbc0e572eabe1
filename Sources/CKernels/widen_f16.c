// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <string.h>

#include "dispatch.h"
#include "vector_math.h"

/// The exponent and mantissa of a half, read as a float32, are too small by a factor of 2^112, also for
/// subnormals. Infinities and NaNs only need all exponent bits set.
static inline __attribute__((always_inline)) float widened(uint16_t half) {
    uint32_t magnitude = (uint32_t)(half & 0x7fffu) << 13;
    uint32_t bits = ami_bits(ami_float(magnitude) * 0x1p112f);
    uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0;
    return ami_float(bits | special | (uint32_t)(half & 0x8000u) << 16);
}

AMI_BODY ami_widen_f16_body(const void *input, float *output, size_t count) {
    const unsigned char *from = input;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        output[i] = widened(half);
    }
}

AMI_KERNEL(ami_widen_f16, (input, output, count), const void *input, float *output, size_t count)
