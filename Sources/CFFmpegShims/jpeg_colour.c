// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Chroma and colour as libjpeg-turbo computes them with its default settings, which Pillow uses:
// triangle-filter upsampling (jdsample.c: h2v1_fancy_upsample, h1v2_fancy_upsample,
// h2v2_fancy_upsample) and 16-bit fixed-point colour (jdcolor.c: build_ycc_rgb_table).

#include <stdlib.h>

#include "picture.h"

enum { half = 1 << 15, red_of_cr = 91881, blue_of_cb = 116130, green_of_cr = 46802, green_of_cb = 22554 };

static void convert(uint8_t y, uint8_t cb, uint8_t cr, uint8_t *rgb) {
    int blue = cb - 128, red = cr - 128;
    rgb[0] = ami_clamp(y + ((red_of_cr * red + half) >> 16));
    rgb[1] = ami_clamp(y + ((-green_of_cb * blue - green_of_cr * red + half) >> 16));
    rgb[2] = ami_clamp(y + ((blue_of_cb * blue + half) >> 16));
}

static int column(int index, int count) { return index < 0 ? 0 : index >= count ? count - 1 : index; }

/// One row of chroma at the full width; `rows` has the row of the sample and the nearer neighbour.
static void upsample(const uint8_t *near, const uint8_t *far, int count, int shift_x, int shift_y,
                     int lower, int width, uint8_t *out) {
    // libjpeg repeats samples of rows with fewer than three of them, and of 4:1:1.
    int smooth_x = shift_x == 1 && count > 2;
    int smooth_y = shift_y == 1 && (smooth_x || shift_x == 0);
    for (int x = 0; x < width; x++) {
        int index = column(x >> shift_x, count);
        int beside = column(index + (x & 1 ? 1 : -1), count);
        int here = near[index];
        if (smooth_x && smooth_y) {
            int sum = 3 * (3 * near[index] + far[index]) + 3 * near[beside] + far[beside];
            here = (sum + (x & 1 ? 7 : 8)) >> 4;
        } else if (smooth_x) {
            here = beside == index ? here : (3 * here + near[beside] + (x & 1 ? 2 : 1)) >> 2;
        } else if (smooth_y) {
            here = (3 * here + far[index] + (lower ? 2 : 1)) >> 2;
        }
        out[x] = (uint8_t)here;
    }
}

enum ami_media_result ami_jpeg_to_rgb(const AVFrame *frame, int shift_x, int shift_y, uint8_t *rgb) {
    int width = frame->width, height = frame->height;
    int columns = (width + (1 << shift_x) - 1) >> shift_x;
    int rows = (height + (1 << shift_y) - 1) >> shift_y;
    uint8_t *chroma = malloc((size_t)width * 2);
    if (chroma == NULL) {
        return ami_media_memory;
    }
    for (int y = 0; y < height; y++) {
        int row = y >> shift_y, lower = y & 1;
        int neighbour = column(row + (lower ? 1 : -1), rows);
        for (int plane = 1; plane <= 2; plane++) {
            const uint8_t *data = frame->data[plane];
            ptrdiff_t stride = frame->linesize[plane];
            upsample(data + row * stride, data + neighbour * stride, columns, shift_x, shift_y, lower,
                     width, chroma + (size_t)(plane - 1) * width);
        }
        const uint8_t *luma = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < width; x++, rgb += 3) {
            convert(luma[x], chroma[x], chroma[width + x], rgb);
        }
    }
    free(chroma);
    return ami_media_ok;
}
