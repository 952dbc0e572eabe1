// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The matrix product for one instruction set. Included once for each, with these macros:
//   AMI_NAME(x)  x with a suffix for the instruction set
//   AMI_TARGET   the function attribute that turns the instruction set on
//   AMI_WIDTH    float32 elements of one vector register
//   AMI_ROWS     rows of a tile; AMI_ROWS x 2 vectors of sums, two of the right matrix and one of the left must fit in
//                the registers

typedef float AMI_NAME(vector) __attribute__((vector_size(4 * AMI_WIDTH)));
typedef float AMI_NAME(unaligned) __attribute__((vector_size(4 * AMI_WIDTH), aligned(4)));

#define AMI_COLUMNS (2 * AMI_WIDTH)

/// One tile: `rows` rows, a constant of at most AMI_ROWS, by AMI_COLUMNS columns. All sums stay in registers.
/// Element (i, p) of the left matrix is left[i * row_step + p * depth_step].
AMI_TARGET static inline __attribute__((always_inline)) void AMI_NAME(tile)(
    size_t rows, size_t depth, const float *left, size_t row_step, size_t depth_step, const float *right,
    float *output, size_t output_stride, bool accumulate) {
    const AMI_NAME(vector) zero = {0};
    AMI_NAME(vector) sums[AMI_ROWS][2];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        // The output is often not in the L2 cache; it is fetched while the sums are computed.
        __builtin_prefetch(output + i * output_stride, 1);
        __builtin_prefetch(output + i * output_stride + AMI_COLUMNS - 1, 1);
        sums[i][0] = zero;
        sums[i][1] = zero;
    }
#pragma clang loop unroll_count(4)
    for (size_t p = 0; p < depth; p++) {
        AMI_NAME(vector) first = *(const AMI_NAME(unaligned) *)(right + p * AMI_COLUMNS);
        AMI_NAME(vector) second = *(const AMI_NAME(unaligned) *)(right + p * AMI_COLUMNS + AMI_WIDTH);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            // Subtracting zero broadcasts the scalar to a vector without changing its value.
            AMI_NAME(vector) factor = left[i * row_step + p * depth_step] - zero;
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

/// The remaining rows that do not fill a tile, AMI_ROWS / 2 at a time while there are enough.
AMI_TARGET static void AMI_NAME(last_rows)(size_t rows, size_t depth, const float *left,
                                           size_t left_stride, const float *right, float *output,
                                           size_t output_stride, bool accumulate) {
    size_t i = 0;
    for (; i + AMI_ROWS / 2 <= rows; i += AMI_ROWS / 2) {
        AMI_NAME(tile)
        (AMI_ROWS / 2, depth, left + i * left_stride, left_stride, 1, right,
         output + i * output_stride, output_stride, accumulate);
    }
    for (; i < rows; i++) {
        AMI_NAME(tile)
        (1, depth, left + i * left_stride, 0, 1, right, output + i * output_stride, 0, accumulate);
    }
}

/// A partial tile, which is computed in a temporary buffer and then copied to the output.
AMI_TARGET static void AMI_NAME(partial_tile)(size_t rows, size_t columns, size_t depth,
                                              const float *left, size_t row_step, size_t depth_step,
                                              const float *right, float *output,
                                              size_t output_stride, bool accumulate) {
    float sums[AMI_ROWS * AMI_COLUMNS];
    if (depth_step == 1) {
        AMI_NAME(last_rows)(rows, depth, left, row_step, right, sums, AMI_COLUMNS, false);
    } else {
        AMI_NAME(tile)
        (AMI_ROWS, depth, left, 1, AMI_ROWS, right, sums, AMI_COLUMNS, false);
    }
    for (size_t i = 0; i < rows; i++) {
        float *to = output + i * output_stride;
        for (size_t j = 0; j < columns; j++) {
            float sum = sums[i * AMI_COLUMNS + j];
            to[j] = accumulate ? to[j] + sum : sum;
        }
    }
}

/// Some rows of an unpacked left matrix times one panel.
AMI_TARGET static void AMI_NAME(block)(const float *left, size_t left_stride, const float *right,
                                       float *output, size_t output_stride, size_t rows,
                                       size_t columns, size_t depth, bool accumulate) {
    size_t i = 0;
    for (; columns == AMI_COLUMNS && i + AMI_ROWS <= rows; i += AMI_ROWS) {
        AMI_NAME(tile)
        (AMI_ROWS, depth, left + i * left_stride, left_stride, 1, right, output + i * output_stride,
         output_stride, accumulate);
    }
    if (columns == AMI_COLUMNS) {
        AMI_NAME(last_rows)
        (rows - i, depth, left + i * left_stride, left_stride, right, output + i * output_stride,
         output_stride, accumulate);
        return;
    }
    for (; i < rows; i += AMI_ROWS) {
        AMI_NAME(partial_tile)
        (smaller(AMI_ROWS, rows - i), columns, depth, left + i * left_stride, left_stride, 1, right,
         output + i * output_stride, output_stride, accumulate);
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

/// Some tiles of a packed left matrix, tile_stride elements apart, times one panel.
AMI_TARGET static void AMI_NAME(packed_block)(const float *left, size_t tile_stride,
                                              const float *right, float *output,
                                              size_t output_stride, size_t rows, size_t columns,
                                              size_t depth, bool accumulate) {
    for (size_t i = 0; i < rows; i += AMI_ROWS, left += tile_stride) {
        if (columns == AMI_COLUMNS && i + AMI_ROWS <= rows) {
            AMI_NAME(tile)
            (AMI_ROWS, depth, left, 1, AMI_ROWS, right, output + i * output_stride, output_stride,
             accumulate);
        } else {
            AMI_NAME(partial_tile)
            (smaller(AMI_ROWS, rows - i), columns, depth, left, 1, AMI_ROWS, right,
             output + i * output_stride, output_stride, accumulate);
        }
    }
}

static void AMI_NAME(multiply_both)(const float *left, size_t tile_stride, const float *right,
                                    float *output, size_t output_stride, size_t rows, size_t columns, size_t depth,
                                    bool accumulate) {
    // Blocks have equal depth, because a short last block would spend a larger share of its time on the output.
    size_t blocks = (depth + PANEL_ELEMENTS / AMI_COLUMNS - 1) / (PANEL_ELEMENTS / AMI_COLUMNS);
    size_t block_depth = blocks < 2 ? depth : (depth + blocks - 1) / blocks;
    for (size_t i = 0; i < rows; i += PANEL_ROWS) {
        for (size_t p = 0; p < depth || p == 0; p += block_depth) {
            for (size_t j = 0; j < columns; j += AMI_COLUMNS) {
                AMI_NAME(packed_block)
                (left + i / AMI_ROWS * tile_stride + p * AMI_ROWS, tile_stride, right + j * depth + p * AMI_COLUMNS,
                 output + i * output_stride + j, output_stride, smaller(PANEL_ROWS, rows - i),
                 smaller(AMI_COLUMNS, columns - j), smaller(block_depth, depth - p),
                 accumulate || p > 0);
            }
            if (depth == 0) {
                break;
            }
        }
    }
}

#undef AMI_COLUMNS
#undef AMI_NAME
#undef AMI_TARGET
#undef AMI_WIDTH
#undef AMI_ROWS
