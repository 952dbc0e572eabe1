// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "normal_tail.h"

static inline __attribute__((always_inline)) float gelu(float x) {
    float bell;
    float tail = ami_normal_tail(x, &bell);
    return x * (x < 0 ? tail : 1.0f - tail);
}

AMI_BODY ami_bias_gelu_body(float *x, size_t stride, size_t rows, size_t columns, const float *bias) {
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        if (bias) {
            for (size_t j = 0; j < columns; j++) {
                values[j] = gelu(values[j] + bias[j]);
            }
        } else {
            for (size_t j = 0; j < columns; j++) {
                values[j] = gelu(values[j]);
            }
        }
    }
}

AMI_KERNEL(ami_bias_gelu, (x, stride, rows, columns, bias), float *x, size_t stride, size_t rows,
           size_t columns, const float *bias)
