// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The matrix product for one instruction set; included once for each, with these macros set:
//   AMI_NAME(x)  x with a suffix for the instruction set
//   AMI_TARGET   the function attribute that turns the instruction set on
//   AMI_WIDTH    float32 elements of one vector register
//   AMI_ROWS     rows of a tile; AMI_ROWS x 2 vectors of sums, two of the right matrix and one of the left must fit in
//                the registers

typedef float AMI_NAME(vector) __attribute__((vector_size(4 * AMI_WIDTH)));
typedef float AMI_NAME(unaligned) __attribute__((vector_size(4 * AMI_WIDTH), aligned(4)));

#define AMI_COLUMNS (2 * AMI_WIDTH)

/// One tile: `rows` rows, a constant of at most AMI_ROWS, by AMI_COLUMNS columns. All sums stay in registers.
AMI_TARGET static inline __attribute__((always_inline)) void AMI_NAME(tile)(
    size_t rows, size_t depth, const float *left, size_t left_stride, const float *right,
    float *output, size_t output_stride, bool accumulate) {
    const AMI_NAME(vector) zero = {0};
    AMI_NAME(vector) sums[AMI_ROWS][2];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        sums[i][0] = zero;
        sums[i][1] = zero;
    }
    for (size_t p = 0; p < depth; p++) {
        AMI_NAME(vector) first = *(const AMI_NAME(unaligned) *)(right + p * AMI_COLUMNS);
        AMI_NAME(vector) second = *(const AMI_NAME(unaligned) *)(right + p * AMI_COLUMNS + AMI_WIDTH);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            // Subtracting zero changes nothing and makes a vector of the scalar.
            AMI_NAME(vector) factor = left[i * left_stride + p] - zero;
            sums[i][0] += factor * first;
            sums[i][1] += factor * second;
        }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        AMI_NAME(unaligned) *to = (AMI_NAME(unaligned) *)(output + i * output_stride);
        to[0] = accumulate ? to[0] + sums[i][0] : sums[i][0];
        to[1] = accumulate ? to[1] + sums[i][1] : sums[i][1];
    }
}

/// A tile of which only some columns exist: computed beside the output, then copied.
AMI_TARGET static void AMI_NAME(narrow_tile)(size_t rows, size_t columns, size_t depth,
                                             const float *left, size_t left_stride,
                                             const float *right, float *output,
                                             size_t output_stride, bool accumulate) {
    float sums[AMI_COLUMNS];
    for (size_t i = 0; i < rows; i++) {
        AMI_NAME(tile)(1, depth, left + i * left_stride, 0, right, sums, 0, false);
        float *to = output + i * output_stride;
        for (size_t j = 0; j < columns; j++) {
            to[j] = accumulate ? to[j] + sums[j] : sums[j];
        }
    }
}

AMI_TARGET static void AMI_NAME(block)(const float *left, size_t left_stride, const float *right,
                                       float *output, size_t output_stride, size_t rows,
                                       size_t columns, size_t depth, bool accumulate) {
    if (columns < AMI_COLUMNS) {
        AMI_NAME(narrow_tile)
        (rows, columns, depth, left, left_stride, right, output, output_stride, accumulate);
        return;
    }
    size_t i = 0;
    for (; i + AMI_ROWS <= rows; i += AMI_ROWS) {
        AMI_NAME(tile)
        (AMI_ROWS, depth, left + i * left_stride, left_stride, right, output + i * output_stride,
         output_stride, accumulate);
    }
    for (; i < rows; i++) {
        AMI_NAME(tile)
        (1, depth, left + i * left_stride, 0, right, output + i * output_stride, 0, accumulate);
    }
}

static void AMI_NAME(multiply)(const float *left, size_t left_stride, const float *right,
                               float *output, size_t output_stride, size_t rows, size_t columns,
                               size_t depth, bool accumulate) {
    for (size_t p = 0; p < depth || p == 0; p += DEPTH_BLOCK) {
        size_t block_depth = smaller(DEPTH_BLOCK, depth - p);
        for (size_t i = 0; i < rows; i += ROW_BLOCK) {
            size_t block_rows = smaller(ROW_BLOCK, rows - i);
            for (size_t j = 0; j < columns; j += AMI_COLUMNS) {
                AMI_NAME(block)
                (left + i * left_stride + p, left_stride, right + j * depth + p * AMI_COLUMNS,
                 output + i * output_stride + j, output_stride, block_rows,
                 smaller(AMI_COLUMNS, columns - j), block_depth, accumulate || p > 0);
            }
        }
    }
}

#undef AMI_COLUMNS
#undef AMI_NAME
#undef AMI_TARGET
#undef AMI_WIDTH
#undef AMI_ROWS
