// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "vector_math.h"

/// Partial results per row: enough independent chains to hide the latency of an addition at any vector width.
#define LANES 64

/// The maximum of `count` > 0 values; ignores NaN, which exp then propagates.
static inline __attribute__((always_inline)) float greatest(const float *values, size_t count) {
    float lane[LANES];
    for (size_t k = 0; k < LANES; k++) {
        lane[k] = -__builtin_inff();
    }
    size_t j = 0;
    for (; j + LANES <= count; j += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            float value = values[j + k];
            lane[k] = value > lane[k] ? value : lane[k];
        }
    }
    for (; j < count; j++) {
        lane[0] = values[j] > lane[0] ? values[j] : lane[0];
    }
    float result = lane[0];
    for (size_t k = 1; k < LANES; k++) {
        result = lane[k] > result ? lane[k] : result;
    }
    return result;
}

/// 2^t for t <= 0, with an error of about one unit in the last place. For t below -100 it is 2^-100, which is
/// negligible next to the largest weight of a row, 1, and avoids subnormal numbers. A NaN stays a NaN.
///
/// 2^t = 2^n 2^f, n = round(t), |f| <= 1/2; the polynomial is a minimax fit with relative error 1.9e-9, evaluated in
/// an order that shortens the dependency chain. Rounding as in ami_exp_nonpositive.
static inline __attribute__((always_inline)) float power_of_two(float t) {
    const float round_to_integer = 12582912.0f;
    float clamped = t < -100.0f ? -100.0f : t;
    float shifted = clamped + round_to_integer;
    float f = clamped - (shifted - round_to_integer);
    float squared = f * f;
    float low = 0x1.62e430p-1f * f + 1.0f;
    float middle = 0x1.c6aed4p-5f * f + 0x1.ebfbdap-3f;
    float high = 0x1.5f456ap-10f * f + 0x1.3b2dbcp-7f;
    high = 0x1.41d332p-13f * squared + high;
    middle = high * squared + middle;
    return ami_float(ami_bits(middle * squared + low) + (ami_bits(shifted) << 23));
}

AMI_BODY ami_softmax_rows_body(float *x, size_t stride, size_t rows, size_t columns, float scale,
                               float *sums) {
    float factor = scale * 0x1.715476p+0f;
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        float top = greatest(values, columns);
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            // Only the sum may be reordered; the exponential's rounding trick must stay as written.
            float weight = power_of_two((values[j] - top) * factor);
            values[j] = weight;
            {
#pragma clang fp reassociate(on)
                sum = sum + weight;
            }
        }
        sums[row] = sum;
    }
}

AMI_KERNEL(ami_softmax_rows, (x, stride, rows, columns, scale, sums), float *x, size_t stride,
           size_t rows, size_t columns, float scale, float *sums)
