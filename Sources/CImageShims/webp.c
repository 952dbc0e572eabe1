// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "image.h"

#include <stdlib.h>
#include <webp/decode.h>

enum ami_image_result ami_webp_open(ami_image *image) {
    WebPData data = {image->bytes, image->count};
    // Rejects truncated files and files with contradictory chunks.
    image->webp = WebPDemux(&data);
    if (image->webp == NULL) {
        return ami_image_fail(image, ami_image_damaged, "its RIFF structure is broken or truncated");
    }
    image->width = WebPDemuxGetI(image->webp, WEBP_FF_CANVAS_WIDTH);
    image->height = WebPDemuxGetI(image->webp, WEBP_FF_CANVAS_HEIGHT);
    return ami_image_ok;
}

static enum ami_image_result fail(ami_image *image, VP8StatusCode code) {
    switch (code) {
        case VP8_STATUS_OUT_OF_MEMORY: return ami_image_fail(image, ami_image_memory, "");
        case VP8_STATUS_UNSUPPORTED_FEATURE:
            return ami_image_fail(image, ami_image_unsupported, "it uses an unknown feature of WebP");
        case VP8_STATUS_NOT_ENOUGH_DATA:
        case VP8_STATUS_SUSPENDED:
            return ami_image_fail(image, ami_image_damaged, "the image data is truncated");
        default: return ami_image_fail(image, ami_image_damaged, "the image data is broken");
    }
}

static void drop_alpha(const uint8_t *rgba, size_t count, uint8_t *rgb) {
    for (; count > 0; count--, rgba += 4, rgb += 3) {
        rgb[0] = rgba[0];
        rgb[1] = rgba[1];
        rgb[2] = rgba[2];
    }
}

/// Pieces of the data between which a decoder can be cancelled.
enum { piece_count = 64 };

/// Decodes the data piece by piece.
static enum ami_image_result decode_pieces(ami_image *image, const uint8_t *bytes, size_t count,
                                           WebPDecoderConfig *config) {
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, config);
    if (decoder == NULL) {
        return ami_image_fail(image, ami_image_memory, "");
    }
    VP8StatusCode code = VP8_STATUS_SUSPENDED;
    size_t piece = count / piece_count + 1;
    for (size_t end = 0; end < count && code == VP8_STATUS_SUSPENDED;) {
        if (ami_image_is_cancelled(image)) {
            WebPIDelete(decoder);
            return image->result;
        }
        // Until the first row, the decoder starts again with each piece, so that pieces of equal size
        // would take time with the square of their number.
        int rows = 0;
        WebPIDecGetRGB(decoder, &rows, NULL, NULL, NULL);
        size_t step = rows > 0 || end / 2 < piece ? piece : end / 2;
        end = step < count - end ? end + step : count;
        code = WebPIUpdate(decoder, bytes, end);
    }
    WebPIDelete(decoder);
    return code == VP8_STATUS_OK ? ami_image_ok : fail(image, code);
}

/// Decodes the first frame at its offset in a canvas of zeros, as WebPAnimDecoder does for Pillow.
static enum ami_image_result decode_frame(ami_image *image, const WebPIterator *frame, uint8_t *rgb) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        return ami_image_fail(image, ami_image_unsupported, "libwebp has another version than its headers");
    }
    VP8StatusCode code = WebPGetFeatures(frame->fragment.bytes, frame->fragment.size, &config.input);
    if (code != VP8_STATUS_OK) {
        return fail(image, code);
    }
    size_t width = (size_t)frame->width, height = (size_t)frame->height;
    if (config.input.width != frame->width || config.input.height != frame->height) {
        return ami_image_fail(image, ami_image_damaged, "its header states another size than its data");
    }
    uint8_t *corner = rgb + ((size_t)frame->y_offset * image->width + (size_t)frame->x_offset) * 3;
    // Alpha is decoded and then dropped, so that damaged alpha data is detected.
    uint8_t *rgba = NULL;
    config.output.is_external_memory = 1;
    if (config.input.has_alpha) {
        rgba = malloc(width * height * 4);
        if (rgba == NULL) {
            return ami_image_fail(image, ami_image_memory, "");
        }
        config.output.colorspace = MODE_RGBA;
        config.output.u.RGBA = (WebPRGBABuffer){rgba, (int)width * 4, width * height * 4};
    } else {
        size_t stride = image->width * 3;
        config.output.colorspace = MODE_RGB;
        config.output.u.RGBA = (WebPRGBABuffer){corner, (int)stride, (height - 1) * stride + width * 3};
    }
    enum ami_image_result result =
        decode_pieces(image, frame->fragment.bytes, frame->fragment.size, &config);
    if (rgba != NULL && result == ami_image_ok) {
        for (size_t y = 0; y < height; y++) {
            drop_alpha(rgba + y * width * 4, width, corner + y * image->width * 3);
        }
    }
    free(rgba);
    return result;
}

enum ami_image_result ami_webp_decode(ami_image *image, uint8_t *rgb) {
    WebPIterator frame;
    if (!WebPDemuxGetFrame(image->webp, 1, &frame)) {
        return ami_image_fail(image, ami_image_damaged, "it has no frame");
    }
    enum ami_image_result result =
        (size_t)frame.x_offset + (size_t)frame.width <= image->width &&
                (size_t)frame.y_offset + (size_t)frame.height <= image->height
            ? decode_frame(image, &frame, rgb)
            : ami_image_fail(image, ami_image_damaged, "a frame lies outside the image");
    WebPDemuxReleaseIterator(&frame);
    return result;
}

void ami_webp_free(ami_image *image) { WebPDemuxDelete(image->webp); }

int ami_webp_version(void) { return WebPGetDecoderVersion(); }
