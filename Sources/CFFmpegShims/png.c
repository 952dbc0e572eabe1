// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <libavcodec/avcodec.h>
#include <string.h>

#include "CFFmpegShims.h"

static int encode(AVCodecContext *context, AVFrame *frame, AVPacket *packet, const AVCodec *codec,
                  const uint8_t *rgb) {
    int code = avcodec_open2(context, codec, NULL);
    if (code >= 0) {
        code = av_frame_get_buffer(frame, 0);
    }
    if (code >= 0) {
        size_t row = (size_t)frame->width * 3;
        for (int y = 0; y < frame->height; y++) {
            memcpy(frame->data[0] + (ptrdiff_t)y * frame->linesize[0], rgb + (size_t)y * row, row);
        }
        code = avcodec_send_frame(context, frame);
    }
    return code >= 0 ? avcodec_receive_packet(context, packet) : code;
}

enum ami_media_result ami_png_encode(const uint8_t *rgb, int width, int height, void *context,
                                     void (*take)(void *context, const uint8_t *bytes, size_t count)) {
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
    if (codec == NULL) {
        return ami_media_no_decoder;
    }
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    int code = AVERROR(ENOMEM);
    if (encoder != NULL && frame != NULL && packet != NULL) {
        frame->width = encoder->width = width;
        frame->height = encoder->height = height;
        frame->format = encoder->pix_fmt = AV_PIX_FMT_RGB24;
        encoder->time_base = (AVRational){1, 1};
        encoder->thread_count = 1;
        code = encode(encoder, frame, packet, codec, rgb);
    }
    if (code >= 0) {
        take(context, packet->data, (size_t)packet->size);
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&encoder);
    return code >= 0 ? ami_media_ok : code == AVERROR(ENOMEM) ? ami_media_memory : ami_media_damaged;
}
