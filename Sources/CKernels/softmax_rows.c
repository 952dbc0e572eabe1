// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "vector_math.h"

/// Partial results per row: enough independent chains to hide the latency of an addition at any width.
#define LANES 64

/// The greatest of `count` > 0 values; a NaN among them is ignored here and comes back out of exp.
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

AMI_BODY ami_softmax_rows_body(float *x, size_t stride, size_t rows, size_t columns, float scale,
                               float *sums) {
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        float top = greatest(values, columns);
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            // Only the sum may be reordered; the exponential's rounding trick must stay as written.
            float weight = ami_exp_nonpositive(scale * (values[j] - top), 0.0f);
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
