// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_divide_rows_body(float *x, size_t stride, size_t rows, size_t columns,
                              const float *divisors) {
    for (size_t row = 0; row < rows; row++) {
        float *values = x + row * stride;
        float factor = 1.0f / divisors[row];
        for (size_t j = 0; j < columns; j++) {
            values[j] *= factor;
        }
    }
}

AMI_KERNEL(ami_divide_rows, (x, stride, rows, columns, divisors), float *x, size_t stride, size_t rows,
           size_t columns, const float *divisors)
