// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"
#include "layer_norm.h"

AMI_BODY ami_layer_norm_gradient_body(const float *input, size_t input_stride, const float *gradient,
                                      size_t gradient_stride, float *output, size_t output_stride, size_t rows,
                                      size_t columns, const float *weight, float epsilon, float *weight_gradient,
                                      float *bias_gradient) {
    for (size_t row = 0; row < rows; row++) {
        // As in ami_row_moments.
#pragma clang fp reassociate(on)
        const float *from = input + row * input_stride;
        const float *incoming = gradient + row * gradient_stride;
        float *to = output + row * output_stride;
        struct ami_row_moments moments = ami_row_moments(from, columns, epsilon);
        float mean = moments.mean;
        float inverse = moments.inverse;
        float along = 0;
        float total = 0;
        for (size_t j = 0; j < columns; j++) {
            float normalised = (from[j] - mean) * inverse;
            float scaled = incoming[j] * weight[j];
            total += scaled;
            along += scaled * normalised;
            weight_gradient[j] += incoming[j] * normalised;
            bias_gradient[j] += incoming[j];
        }
        total /= (float)columns;
        along /= (float)columns;
        for (size_t j = 0; j < columns; j++) {
            float normalised = (from[j] - mean) * inverse;
            to[j] = (incoming[j] * weight[j] - total - normalised * along) * inverse;
        }
    }
}

AMI_KERNEL(ami_layer_norm_gradient,
           (input, input_stride, gradient, gradient_stride, output, output_stride, rows, columns, weight, epsilon,
            weight_gradient, bias_gradient),
           const float *input, size_t input_stride, const float *gradient, size_t gradient_stride, float *output,
           size_t output_stride, size_t rows, size_t columns, const float *weight, float epsilon,
           float *weight_gradient, float *bias_gradient)
