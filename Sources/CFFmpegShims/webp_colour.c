// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Chroma and colour as libwebp computes them with its default settings, which Pillow uses:
// "fancy" upsampling (src/dsp/upsampling.c) and 14-bit fixed-point BT.601 (src/dsp/yuv.h).

#include "picture.h"

static int high(int value, int factor) { return value * factor >> 8; }

static uint8_t clip(int value) {
    return value < 0 ? 0 : value >= 256 << 6 ? 255 : (uint8_t)(value >> 6);
}

static void convert(int y, int u, int v, uint8_t *rgb) {
    rgb[0] = clip(high(y, 19077) + high(v, 26149) - 14234);
    rgb[1] = clip(high(y, 19077) - high(u, 6419) - high(v, 13320) + 8708);
    rgb[2] = clip(high(y, 19077) + high(u, 33050) - 17685);
}

/// One chroma sample from the nearest (a), the two beside it (b along the row, c along the column)
/// and the diagonal one (d): 9, 3, 3, 1 sixteenths, rounded the way libwebp does it in two steps.
static int diagonal(int a, int b, int c, int d) {
    int average = a + b + c + d + 8;
    return (((average + 2 * (b + c)) >> 3) + a) >> 1;
}

static int sample(const AVFrame *frame, int plane, int x, int y) {
    int columns = (frame->width + 1) >> 1, rows = (frame->height + 1) >> 1;
    int column = x >> 1, row = y >> 1;
    int beside = column + (x & 1 ? 1 : -1), other = row + (y & 1 ? 1 : -1);
    other = other < 0 ? 0 : other >= rows ? rows - 1 : other;
    const uint8_t *near = frame->data[plane] + (ptrdiff_t)row * frame->linesize[plane];
    const uint8_t *far = frame->data[plane] + (ptrdiff_t)other * frame->linesize[plane];
    if (beside < 0 || beside >= columns) {
        return (3 * near[column] + far[column] + 2) >> 2;
    }
    return diagonal(near[column], near[beside], far[column], far[beside]);
}

void ami_webp_to_rgb(const AVFrame *frame, uint8_t *rgb) {
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *luma = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, rgb += 3) {
            convert(luma[x], sample(frame, 1, x, y), sample(frame, 2, x, y), rgb);
        }
    }
}
