// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_softmax_gradient_body(const float *weights, size_t stride, float *gradient, size_t gradient_stride,
                                   size_t rows, size_t columns, float scale) {
    for (size_t row = 0; row < rows; row++) {
#pragma clang fp reassociate(on)
        const float *own = weights + row * stride;
        float *values = gradient + row * gradient_stride;
        float mean = 0;
        for (size_t j = 0; j < columns; j++) {
            mean += own[j] * values[j];
        }
        for (size_t j = 0; j < columns; j++) {
            values[j] = scale * own[j] * (values[j] - mean);
        }
    }
}

AMI_KERNEL(ami_softmax_gradient, (weights, stride, gradient, gradient_stride, rows, columns, scale),
           const float *weights, size_t stride, float *gradient, size_t gradient_stride, size_t rows, size_t columns,
           float scale)
