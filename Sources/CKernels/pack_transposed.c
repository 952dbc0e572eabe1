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

/// Writes two rows of four elements as columns.
static inline void transpose_two(const float *input, size_t stride, float *output, size_t width) {
    for (size_t q = 0; q < 4; q++) {
        output[q * width] = input[q];
        output[q * width + 1] = input[stride + q];
    }
}

/// The number of elements of a row that are read before the next row: one cache line, because the lines of many rows
/// often map to the same few cache sets.
#define LINE 16

/// Packs `present` columns, `depth` <= LINE deep.
static inline void pack_block(const float *input, size_t stride, size_t present, size_t depth,
                              size_t width, float *output) {
    size_t j = 0;
    for (; j + 4 <= present; j += 4) {
        size_t p = 0;
        for (; p + 4 <= depth; p += 4) {
            transpose_four(input + j * stride + p, stride, output + p * width + j, width);
        }
        for (; p < depth; p++) {
            for (size_t k = j; k < j + 4; k++) {
                output[p * width + k] = input[k * stride + p];
            }
        }
    }
    if (j + 2 <= present && depth % 4 == 0) {
        for (size_t p = 0; p < depth; p += 4) {
            transpose_two(input + j * stride + p, stride, output + p * width + j, width);
        }
        j += 2;
    }
    for (; j < present; j++) {
        for (size_t p = 0; p < depth; p++) {
            output[p * width + j] = input[j * stride + p];
        }
    }
}

void ami_pack_transposed(const float *input, size_t stride, size_t columns, size_t depth,
                         size_t panel_width, size_t panel_stride, float *output) {
    for (size_t first = 0; first < columns; first += panel_width) {
        size_t present = columns - first < panel_width ? columns - first : panel_width;
        float *panel = output + first / panel_width * panel_stride;
        if (present < panel_width) {
            memset(panel, 0, panel_width * depth * sizeof(float));
        }
        for (size_t p = 0; p < depth; p += LINE) {
            pack_block(input + first * stride + p, stride, present,
                       depth - p < LINE ? depth - p : LINE, panel_width, panel + p * panel_width);
        }
    }
}
