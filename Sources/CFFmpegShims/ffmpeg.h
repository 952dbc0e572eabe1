// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The functions of FFmpeg that read video, loaded when the first video is opened.
//
// They are not linked: FFmpeg depends on some 130 libraries, and loading those takes 25 ms at every
// start of a program, while few commands read video.

#ifndef AMI_ZOO_FFMPEG_H
#define AMI_ZOO_FFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// FFmpeg 7 moved the side data of streams to their parameters.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define AMI_SIDE_DATA(X) X(avcodec, av_packet_side_data_get)
#else
#define AMI_SIDE_DATA(X) X(avformat, av_stream_get_side_data)
#endif

#define AMI_FFMPEG_FUNCTIONS(X)         \
    X(avutil, av_frame_alloc)           \
    X(avutil, av_frame_free)            \
    X(avutil, av_frame_get_buffer)      \
    X(avutil, av_free)                  \
    X(avutil, av_freep)                 \
    X(avutil, av_log_set_level)         \
    X(avutil, av_malloc)                \
    X(avutil, av_pix_fmt_desc_get)      \
    X(avutil, av_strerror)              \
    X(avutil, av_version_info)          \
    X(avcodec, av_packet_alloc)         \
    X(avcodec, av_packet_free)          \
    X(avcodec, av_packet_unref)         \
    X(avcodec, avcodec_alloc_context3)  \
    X(avcodec, avcodec_find_decoder)    \
    X(avcodec, avcodec_free_context)    \
    X(avcodec, avcodec_open2)           \
    X(avcodec, avcodec_parameters_to_context) \
    X(avcodec, avcodec_receive_frame)   \
    X(avcodec, avcodec_send_packet)     \
    X(avformat, av_find_best_stream)    \
    X(avformat, av_probe_input_buffer2) \
    X(avformat, av_read_frame)          \
    X(avformat, avformat_alloc_context) \
    X(avformat, avformat_close_input)   \
    X(avformat, avformat_find_stream_info) \
    X(avformat, avformat_open_input)    \
    X(avformat, avio_alloc_context)     \
    X(avformat, avio_context_free)      \
    X(swscale, sws_freeContext)         \
    X(swscale, sws_getCoefficients)     \
    X(swscale, sws_getColorspaceDetails) \
    X(swscale, sws_getContext)          \
    X(swscale, sws_isSupportedInput)    \
    X(swscale, sws_scale)               \
    X(swscale, sws_setColorspaceDetails) \
    AMI_SIDE_DATA(X)

#define AMI_FFMPEG_MEMBER(library, name) __typeof__(name) *name;

/// Null until ami_media_load succeeds.
extern struct ami_ffmpeg {
    AMI_FFMPEG_FUNCTIONS(AMI_FFMPEG_MEMBER)
} ami_ffmpeg;

#endif
