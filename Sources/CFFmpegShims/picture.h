// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_PICTURE_H
#define AMI_ZOO_PICTURE_H

#include <libavcodec/avcodec.h>

#include "CFFmpegShims.h"

struct ami_picture {
    AVFrame *frame;
    enum ami_image_kind kind;
};

/// Conversions that follow libjpeg-turbo and libwebp; the frame has planes of 8 bits.
enum ami_media_result ami_jpeg_to_rgb(const AVFrame *frame, int chroma_shift_x, int chroma_shift_y,
                                      uint8_t *rgb);
void ami_webp_to_rgb(const AVFrame *frame, uint8_t *rgb);

static inline uint8_t ami_clamp(int value) {
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

#endif
