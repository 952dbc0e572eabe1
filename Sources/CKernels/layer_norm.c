// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "layer_norm.h"

AMI_BODY ami_layer_norm_body(const float *input, size_t input_stride, float *output,
                             size_t output_stride, size_t rows, size_t columns,
                             const float *weight, const float *bias, float epsilon) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = input + row * input_stride;
        float *to = output + row * output_stride;
        struct ami_row_moments moments = ami_row_moments(from, columns, epsilon);
        float mean = moments.mean;
        float inverse = moments.inverse;
        for (size_t j = 0; j < columns; j++) {
            to[j] = (from[j] - mean) * inverse * weight[j] + bias[j];
        }
    }
}

AMI_KERNEL(ami_layer_norm,
           (input, input_stride, output, output_stride, rows, columns, weight, bias, epsilon),
           const float *input, size_t input_stride, float *output, size_t output_stride, size_t rows,
           size_t columns, const float *weight, const float *bias, float epsilon)
