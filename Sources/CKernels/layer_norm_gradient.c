// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <math.h>

#include "dispatch.h"

AMI_BODY ami_layer_norm_gradient_body(const float *input, size_t input_stride, const float *gradient,
                                      size_t gradient_stride, float *output, size_t output_stride, size_t rows,
                                      size_t columns, const float *weight, float epsilon, float *weight_gradient,
                                      float *bias_gradient) {
    for (size_t row = 0; row < rows; row++) {
        // As in ami_layer_norm.
#pragma clang fp reassociate(on)
        const float *from = input + row * input_stride;
        const float *incoming = gradient + row * gradient_stride;
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
