// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <string.h>

#include "CKernels.h"

typedef float quad __attribute__((vector_size(16)));
typedef float unaligned_quad __attribute__((vector_size(16), aligned(4)));

/// Writes four rows of four elements as columns.
static inline void transpose_four(const float *input, size_t stride, float *output, size_t width) {
    quad a = *(const unaligned_quad *)input;
    quad b = *(const unaligned_quad *)(input + stride);
    quad c = *(const unaligned_quad *)(input + 2 * stride);
    quad d = *(const unaligned_quad *)(input + 3 * stride);
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(unaligned_quad *)output = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *(unaligned_quad *)(output + width) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *(unaligned_quad *)(output + 2 * width) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(unaligned_quad *)(output + 3 * width) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

void ami_pack_transposed(const float *input, size_t stride, size_t columns, size_t depth,
                         size_t panel_width, float *output) {
    for (size_t first = 0; first < columns; first += panel_width) {
        size_t present = columns - first < panel_width ? columns - first : panel_width;
        float *panel = output + first * depth;
        if (present < panel_width) {
            memset(panel, 0, panel_width * depth * sizeof(float));
        }
        size_t p = 0;
        for (; p + 4 <= depth; p += 4) {
            size_t j = 0;
            for (; j + 4 <= present; j += 4) {
                transpose_four(input + (first + j) * stride + p, stride, panel + p * panel_width + j,
                               panel_width);
            }
            for (; j < present; j++) {
                for (size_t q = p; q < p + 4; q++) {
                    panel[q * panel_width + j] = input[(first + j) * stride + q];
                }
            }
        }
        for (; p < depth; p++) {
            for (size_t j = 0; j < present; j++) {
                panel[p * panel_width + j] = input[(first + j) * stride + p];
            }
        }
    }
}
