// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <math.h>

#include "dispatch.h"

AMI_BODY ami_layer_norm_body(const float *input, size_t input_stride, float *output,
                             size_t output_stride, size_t rows, size_t columns,
                             const float *weight, const float *bias, float epsilon) {
    for (size_t row = 0; row < rows; row++) {
        // Sums may be reordered: many partial sums are both faster and more accurate than one sum.
#pragma clang fp reassociate(on)
        const float *from = input + row * input_stride;
        float *to = output + row * output_stride;
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += from[j];
        }
        float mean = sum / (float)columns;
        float squares = 0;
        for (size_t j = 0; j < columns; j++) {
            float centred = from[j] - mean;
            squares += centred * centred;
        }
        float inverse = 1.0f / sqrtf(squares / (float)columns + epsilon);
        for (size_t j = 0; j < columns; j++) {
            to[j] = (from[j] - mean) * inverse * weight[j] + bias[j];
        }
    }
}

AMI_KERNEL(ami_layer_norm,
           (input, input_stride, output, output_stride, rows, columns, weight, bias, epsilon),
           const float *input, size_t input_stride, float *output, size_t output_stride, size_t rows,
           size_t columns, const float *weight, const float *bias, float epsilon)
