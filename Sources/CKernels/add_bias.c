// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_add_bias_body(float *x, size_t stride, size_t rows, size_t columns, const float *bias) {
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        for (size_t j = 0; j < columns; j++) {
            values[j] += bias[j];
        }
    }
}

AMI_KERNEL(ami_add_bias, (x, stride, rows, columns, bias), float *x, size_t stride, size_t rows,
           size_t columns, const float *bias)
