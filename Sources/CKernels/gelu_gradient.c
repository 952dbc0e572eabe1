// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "normal_tail.h"

AMI_BODY ami_gelu_gradient_body(const float *x, size_t stride, float *gradient, size_t gradient_stride,
                                size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++) {
        const float *values = x + row * stride;
        float *to = gradient + row * gradient_stride;
        for (size_t j = 0; j < columns; j++) {
            float bell;
            float tail = ami_normal_tail(values[j], &bell);
            float below = values[j] < 0 ? tail : 1.0f - tail;
            to[j] *= below + values[j] * (bell * 0x1.988454p-2f);
        }
    }
}

AMI_KERNEL(ami_gelu_gradient, (x, stride, gradient, gradient_stride, rows, columns), const float *x, size_t stride,
           float *gradient, size_t gradient_stride, size_t rows, size_t columns)
