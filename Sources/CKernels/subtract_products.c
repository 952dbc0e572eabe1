// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_subtract_products_body(float *x, size_t stride, size_t rows, size_t columns, const float *left,
                                    size_t left_stride, const float *right, size_t depth) {
    for (size_t row = 0; row < rows; row++) {
#pragma clang fp reassociate(on)
        float *values = x + row * stride;
        const float *own = left + row * left_stride;
        float product = 0;
        for (size_t k = 0; k < depth; k++) {
            product += own[k] * right[k];
        }
        for (size_t j = 0; j < columns; j++) {
            values[j] -= product;
        }
    }
}

AMI_KERNEL(ami_subtract_products, (x, stride, rows, columns, left, left_stride, right, depth), float *x, size_t stride,
           size_t rows, size_t columns, const float *left, size_t left_stride, const float *right, size_t depth)
