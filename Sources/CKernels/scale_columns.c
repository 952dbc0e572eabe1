// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_scale_columns_body(float *x, size_t stride, size_t rows, size_t columns, const float *factors) {
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        for (size_t j = 0; j < columns; j++) {
            values[j] *= factors[j];
        }
    }
}

AMI_KERNEL(ami_scale_columns, (x, stride, rows, columns, factors), float *x, size_t stride, size_t rows,
           size_t columns, const float *factors)
