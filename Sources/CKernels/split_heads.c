// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <string.h>

#include "dispatch.h"

AMI_BODY ami_split_heads_body(const float *input, size_t input_stride, const float *bias, float *output,
                              size_t head_stride, size_t rows, size_t heads, size_t head_width,
                              size_t turned, const float *cosines, const float *sines) {
    for (size_t row = 0; row < rows; row++) {
        const float *cosine = cosines + row * turned;
        const float *sine = sines + row * turned;
        for (size_t head = 0; head < heads; head++) {
            const float *from = input + row * input_stride + head * head_width;
            float *restrict to = output + head * head_stride + row * head_width;
            if (bias) {
                const float *shift = bias + head * head_width;
                for (size_t j = 0; j < head_width; j++) {
                    to[j] = from[j] + shift[j];
                }
            } else {
                memcpy(to, from, head_width * sizeof(float));
            }
            for (size_t j = 0; j + 1 < turned; j += 2) {
                float even = to[j];
                float odd = to[j + 1];
                to[j] = even * cosine[j] - odd * sine[j];
                to[j + 1] = odd * cosine[j + 1] + even * sine[j + 1];
            }
        }
    }
}

AMI_KERNEL(ami_split_heads,
           (input, input_stride, bias, output, head_stride, rows, heads, head_width, turned, cosines,
            sines),
           const float *input, size_t input_stride, const float *bias, float *output,
           size_t head_stride, size_t rows, size_t heads, size_t head_width, size_t turned,
           const float *cosines, const float *sines)
