// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <stdbool.h>

#include "CKernels.h"

/// Block sizes for an unpacked left matrix: a ROW_BLOCK x DEPTH_BLOCK block stays in the L2 cache (192 KiB), and a
/// panel of the right matrix of depth DEPTH_BLOCK stays in the L1 cache, while they are reused.
#define ROW_BLOCK 96
#define DEPTH_BLOCK 512

/// The same for two packed matrices (240 KiB and 32 KiB); the rows are a multiple of the tile heights 6 and 12.
#define PANEL_ROWS 120
#define PANEL_ELEMENTS 8192

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

#define AMI_NAME(name) name##_portable
#define AMI_TARGET
#define AMI_WIDTH 4
#define AMI_ROWS 6
#include "multiply_packed_body.h"

#if defined(__x86_64__)
#define AMI_NAME(name) name##_avx2
#define AMI_TARGET __attribute__((target("avx2,fma")))
#define AMI_WIDTH 8
#define AMI_ROWS 6
#include "multiply_packed_body.h"

#define AMI_NAME(name) name##_avx512
#define AMI_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AMI_WIDTH 16
#define AMI_ROWS 12
#include "multiply_packed_body.h"
#endif

size_t ami_panel_width(enum ami_cpu cpu) {
    switch (cpu) {
        case ami_cpu_avx512: return 32;
        case ami_cpu_avx2: return 16;
        case ami_cpu_portable: return 8;
    }
}

void ami_multiply_packed(enum ami_cpu cpu, const float *left, size_t left_stride, const float *right,
                         float *output, size_t output_stride, size_t rows, size_t columns,
                         size_t depth, bool accumulate) {
    switch (cpu) {
#if defined(__x86_64__)
        case ami_cpu_avx512:
            multiply_avx512(left, left_stride, right, output, output_stride, rows, columns, depth,
                            accumulate);
            break;
        case ami_cpu_avx2:
            multiply_avx2(left, left_stride, right, output, output_stride, rows, columns, depth,
                          accumulate);
            break;
#endif
        default:
            multiply_portable(left, left_stride, right, output, output_stride, rows, columns, depth,
                              accumulate);
    }
}

size_t ami_tile_height(enum ami_cpu cpu) { return cpu == ami_cpu_avx512 ? 12 : 6; }

void ami_multiply_both_packed(enum ami_cpu cpu, const float *left, size_t tile_stride,
                              const float *right, float *output, size_t output_stride, size_t rows, size_t columns, size_t depth,
                              bool accumulate) {
    switch (cpu) {
#if defined(__x86_64__)
        case ami_cpu_avx512:
            multiply_both_avx512(left, tile_stride, right, output, output_stride, rows, columns, depth, accumulate);
            break;
        case ami_cpu_avx2:
            multiply_both_avx2(left, tile_stride, right, output, output_stride, rows, columns, depth, accumulate);
            break;
#endif
        default:
            multiply_both_portable(left, tile_stride, right, output, output_stride, rows, columns, depth, accumulate);
    }
}
