// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <string.h>

#include "picture.h"

void ami_media_silence(void) { av_log_set_level(AV_LOG_QUIET); }

void ami_media_error_text(int detail, char *text, size_t capacity) {
    if (av_strerror(detail, text, capacity) < 0 && capacity > 0) {
        text[0] = 0;
    }
}

static enum ami_media_result failure(int code, int *detail) {
    *detail = code;
    return code == AVERROR(ENOMEM) ? ami_media_memory : ami_media_damaged;
}

static enum ami_media_result decode(AVCodecContext *context, AVPacket *packet, AVFrame *frame,
                                    int *detail) {
    int code = avcodec_send_packet(context, packet);
    if (code >= 0) {
        // The end of the input, so that a decoder that waits for more says what it has.
        code = avcodec_send_packet(context, NULL);
    }
    if (code >= 0) {
        code = avcodec_receive_frame(context, frame);
    }
    if (code < 0) {
        return failure(code, detail);
    }
    if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
        return failure(AVERROR_INVALIDDATA, detail);
    }
    return ami_media_ok;
}

static const enum AVCodecID codecs[] = {
    [ami_image_png] = AV_CODEC_ID_PNG,
    [ami_image_jpeg] = AV_CODEC_ID_MJPEG,
    [ami_image_webp] = AV_CODEC_ID_WEBP,
};

enum ami_media_result ami_image_decode(enum ami_image_kind kind, const uint8_t *bytes, size_t count,
                                       int64_t max_pixels, ami_picture **picture, int *detail) {
    *picture = NULL;
    *detail = 0;
    const AVCodec *codec = avcodec_find_decoder(codecs[kind]);
    if (codec == NULL) {
        return ami_media_no_decoder;
    }
    if (count > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE) {
        return ami_media_too_large;
    }
    AVCodecContext *context = avcodec_alloc_context3(codec);
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    enum ami_media_result result = ami_media_memory;
    if (context != NULL && packet != NULL && frame != NULL && av_new_packet(packet, (int)count) == 0) {
        memcpy(packet->data, bytes, count);
        context->max_pixels = max_pixels;
        context->thread_count = 1;
        context->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
        // Of the inverse transforms here, the one in floats rounds most like that of libjpeg.
        context->idct_algo = FF_IDCT_FAAN;
        context->flags |= AV_CODEC_FLAG_BITEXACT;
        int code = avcodec_open2(context, codec, NULL);
        result = code < 0 ? failure(code, detail) : decode(context, packet, frame, detail);
    }
    av_packet_free(&packet);
    avcodec_free_context(&context);
    if (result == ami_media_ok) {
        *picture = av_mallocz(sizeof(**picture));
        if (*picture != NULL) {
            (*picture)->frame = frame;
            (*picture)->kind = kind;
            return ami_media_ok;
        }
        result = ami_media_memory;
    }
    av_frame_free(&frame);
    return result;
}

size_t ami_picture_width(const ami_picture *picture) { return (size_t)picture->frame->width; }
size_t ami_picture_height(const ami_picture *picture) { return (size_t)picture->frame->height; }

void ami_picture_free(ami_picture *picture) {
    if (picture != NULL) {
        av_frame_free(&picture->frame);
        av_free(picture);
    }
}

/// Where the channels of a packed or planar format lie, in bytes.
struct layout {
    int step, red, green, blue;
};

static void copy_packed(const AVFrame *frame, struct layout layout, uint8_t *rgb) {
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, row += layout.step, rgb += 3) {
            rgb[0] = row[layout.red];
            rgb[1] = row[layout.green];
            rgb[2] = row[layout.blue];
        }
    }
}

static void copy_bits(const AVFrame *frame, uint8_t *rgb) {
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, rgb += 3) {
            rgb[0] = rgb[1] = rgb[2] = row[x >> 3] >> (7 - (x & 7)) & 1 ? 255 : 0;
        }
    }
}

static void copy_palette(const AVFrame *frame, uint8_t *rgb) {
    uint32_t palette[256];
    memcpy(palette, frame->data[1], sizeof palette);
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *row = frame->data[0] + (ptrdiff_t)y * frame->linesize[0];
        for (int x = 0; x < frame->width; x++, rgb += 3) {
            uint32_t colour = palette[row[x]];
            rgb[0] = colour >> 16 & 255;
            rgb[1] = colour >> 8 & 255;
            rgb[2] = colour & 255;
        }
    }
}

static void copy_planes(const AVFrame *frame, uint8_t *rgb) {
    for (int y = 0; y < frame->height; y++) {
        for (int x = 0; x < frame->width; x++, rgb += 3) {
            // Green, blue, red is the order of GBRP.
            rgb[0] = frame->data[2][(ptrdiff_t)y * frame->linesize[2] + x];
            rgb[1] = frame->data[0][(ptrdiff_t)y * frame->linesize[0] + x];
            rgb[2] = frame->data[1][(ptrdiff_t)y * frame->linesize[1] + x];
        }
    }
}

/// A comment in a file can make FFmpeg call its samples limited; libjpeg takes all of them as full.
static enum ami_media_result copy_jpeg(const AVFrame *frame, uint8_t *rgb) {
    switch ((enum AVPixelFormat)frame->format) {
        case AV_PIX_FMT_YUVJ444P:
        case AV_PIX_FMT_YUV444P: return ami_jpeg_to_rgb(frame, 0, 0, rgb);
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUV422P: return ami_jpeg_to_rgb(frame, 1, 0, rgb);
        case AV_PIX_FMT_YUVJ440P:
        case AV_PIX_FMT_YUV440P: return ami_jpeg_to_rgb(frame, 0, 1, rgb);
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUV420P: return ami_jpeg_to_rgb(frame, 1, 1, rgb);
        case AV_PIX_FMT_YUVJ411P:
        case AV_PIX_FMT_YUV411P: return ami_jpeg_to_rgb(frame, 2, 0, rgb);
        default: return ami_media_pixels_unsupported;
    }
}

static enum ami_media_result copy_webp(const AVFrame *frame, uint8_t *rgb) {
    if (frame->format != AV_PIX_FMT_YUV420P && frame->format != AV_PIX_FMT_YUVA420P) {
        return ami_media_pixels_unsupported;
    }
    ami_webp_to_rgb(frame, rgb);
    return ami_media_ok;
}

enum ami_media_result ami_picture_copy_rgb(const ami_picture *picture, uint8_t *rgb) {
    const AVFrame *frame = picture->frame;
    switch ((enum AVPixelFormat)frame->format) {
        case AV_PIX_FMT_GRAY8: copy_packed(frame, (struct layout){1, 0, 0, 0}, rgb); break;
        case AV_PIX_FMT_YA8: copy_packed(frame, (struct layout){2, 0, 0, 0}, rgb); break;
        case AV_PIX_FMT_RGB24: copy_packed(frame, (struct layout){3, 0, 1, 2}, rgb); break;
        case AV_PIX_FMT_BGR24: copy_packed(frame, (struct layout){3, 2, 1, 0}, rgb); break;
        case AV_PIX_FMT_RGBA: copy_packed(frame, (struct layout){4, 0, 1, 2}, rgb); break;
        case AV_PIX_FMT_BGRA: copy_packed(frame, (struct layout){4, 2, 1, 0}, rgb); break;
        case AV_PIX_FMT_ARGB: copy_packed(frame, (struct layout){4, 1, 2, 3}, rgb); break;
        // The upper byte of each channel, as Pillow reads colour of 16 bits.
        case AV_PIX_FMT_RGB48BE: copy_packed(frame, (struct layout){6, 0, 2, 4}, rgb); break;
        case AV_PIX_FMT_RGBA64BE: copy_packed(frame, (struct layout){8, 0, 2, 4}, rgb); break;
        case AV_PIX_FMT_MONOBLACK: copy_bits(frame, rgb); break;
        case AV_PIX_FMT_PAL8: copy_palette(frame, rgb); break;
        case AV_PIX_FMT_GBRP: copy_planes(frame, rgb); break;
        default:
            return picture->kind == ami_image_jpeg ? copy_jpeg(frame, rgb)
                   : picture->kind == ami_image_webp ? copy_webp(frame, rgb)
                                                     : ami_media_pixels_unsupported;
    }
    return ami_media_ok;
}
