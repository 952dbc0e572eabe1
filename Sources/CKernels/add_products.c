// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_add_products_body(const float *left, size_t left_stride, const float *right, size_t right_stride,
                               size_t rows, size_t columns, float *sums) {
    for (size_t row = 0; row < rows; row++) {
        const float *first = left + row * left_stride;
        const float *second = right + row * right_stride;
        for (size_t j = 0; j < columns; j++) {
            sums[j] += first[j] * second[j];
        }
    }
}

AMI_KERNEL(ami_add_products, (left, left_stride, right, right_stride, rows, columns, sums), const float *left,
           size_t left_stride, const float *right, size_t right_stride, size_t rows, size_t columns, float *sums)
