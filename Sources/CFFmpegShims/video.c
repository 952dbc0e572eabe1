// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CFFmpegShims.h"
#include "ffmpeg.h"

void ami_media_error_text(int detail, char *text, size_t capacity) {
    if (ami_ffmpeg.av_strerror(detail, text, capacity) < 0 && capacity > 0) {
        text[0] = 0;
    }
}

enum { io_buffer = 64 * 1024, probe_limit = 5 * 1024 * 1024 };

struct ami_video {
    int descriptor;
    int64_t position, size;
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    struct SwsContext *scaler;
    int stream, drained, width, height, pixels, colours, range;
};

/// The allowed container formats. Playlists (hls, dash, concat, image sequences) are excluded,
/// because they open files that the caller did not name.
static const char *const containers[] = {
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "gif",
    "ivf", "nut", "mpegvideo", "h264", "hevc", "m4v", "yuv4mpegpipe", "mxf", "dv",
};

static int is_allowed(const AVInputFormat *format) {
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        if (strcmp(format->name, containers[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int read_bytes(void *opaque, uint8_t *bytes, int count) {
    struct ami_video *video = opaque;
    ssize_t got;
    do {
        got = pread(video->descriptor, bytes, (size_t)count, (off_t)video->position);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return got < 0 ? AVERROR(errno) : AVERROR_EOF;
    }
    video->position += got;
    return (int)got;
}

static int64_t seek(void *opaque, int64_t offset, int whence) {
    struct ami_video *video = opaque;
    switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE: return video->size;
        case SEEK_SET: break;
        case SEEK_CUR: offset += video->position; break;
        case SEEK_END: offset += video->size; break;
        default: return AVERROR(EINVAL);
    }
    if (offset < 0) {
        return AVERROR(EINVAL);
    }
    return video->position = offset;
}

static int refuse_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options) {
    (void)format, (void)io, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

static enum ami_media_result failure(int code, int *detail) {
    *detail = code;
    return code == AVERROR(ENOMEM) ? ami_media_memory : ami_media_damaged;
}

static enum ami_media_result open_file(struct ami_video *video, const char *path, int *detail) {
    struct stat status;
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    video->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (video->descriptor < 0 || fstat(video->descriptor, &status) != 0) {
        *detail = errno;
        return ami_media_system;
    }
    if (!S_ISREG(status.st_mode)) {
        return ami_media_not_a_file;
    }
    video->size = status.st_size;
    uint8_t *buffer = ami_ffmpeg.av_malloc(io_buffer);
    if (buffer == NULL) {
        return ami_media_memory;
    }
    video->io = ami_ffmpeg.avio_alloc_context(buffer, io_buffer, 0, video, read_bytes, NULL, seek);
    if (video->io == NULL) {
        ami_ffmpeg.av_free(buffer);
        return ami_media_memory;
    }
    return ami_media_ok;
}

static enum ami_media_result open_container(struct ami_video *video, int *detail) {
    // Not const in FFmpeg 4.
#if LIBAVFORMAT_VERSION_MAJOR < 59
    AVInputFormat *found = NULL;
#else
    const AVInputFormat *found = NULL;
#endif
    int code = ami_ffmpeg.av_probe_input_buffer2(video->io, &found, "", NULL, 0, probe_limit);
    if (code < 0 || found == NULL) {
        *detail = code;
        return code == AVERROR(ENOMEM) ? ami_media_memory : ami_media_unrecognised;
    }
    if (!is_allowed(found)) {
        return ami_media_refused;
    }
    video->format = ami_ffmpeg.avformat_alloc_context();
    if (video->format == NULL) {
        return ami_media_memory;
    }
    video->format->pb = video->io;
    video->format->io_open = refuse_open;
    video->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    video->format->probesize = probe_limit;
    // Frees the context on failure.
    code = ami_ffmpeg.avformat_open_input(&video->format, "", found, NULL);
    if (code >= 0) {
        code = ami_ffmpeg.avformat_find_stream_info(video->format, NULL);
    }
    return code < 0 ? failure(code, detail) : ami_media_ok;
}

static enum ami_media_result open_decoder(struct ami_video *video, int64_t max_pixels, int *detail) {
    video->stream = ami_ffmpeg.av_find_best_stream(video->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (video->stream < 0) {
        return video->stream == AVERROR_DECODER_NOT_FOUND ? ami_media_no_decoder : ami_media_no_stream;
    }
    for (unsigned i = 0; i < video->format->nb_streams; i++) {
        video->format->streams[i]->discard = (int)i == video->stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    }
    const AVCodecParameters *parameters = video->format->streams[video->stream]->codecpar;
    const AVCodec *codec = ami_ffmpeg.avcodec_find_decoder(parameters->codec_id);
    if (codec == NULL) {
        return ami_media_no_decoder;
    }
    if (parameters->width > 0 && (int64_t)parameters->width * parameters->height > max_pixels) {
        return ami_media_too_large;
    }
    video->decoder = ami_ffmpeg.avcodec_alloc_context3(codec);
    video->packet = ami_ffmpeg.av_packet_alloc();
    video->frame = ami_ffmpeg.av_frame_alloc();
    if (video->decoder == NULL || video->packet == NULL || video->frame == NULL) {
        return ami_media_memory;
    }
    int code = ami_ffmpeg.avcodec_parameters_to_context(video->decoder, parameters);
    video->decoder->max_pixels = max_pixels;
    video->decoder->thread_count = 0;
    video->decoder->pkt_timebase = video->format->streams[video->stream]->time_base;
    if (code >= 0) {
        code = ami_ffmpeg.avcodec_open2(video->decoder, codec, NULL);
    }
    return code < 0 ? failure(code, detail) : ami_media_ok;
}

enum ami_media_result ami_video_open(const char *path, int64_t max_pixels, ami_video **out, int *detail) {
    *out = NULL;
    *detail = 0;
    struct ami_video *video = calloc(1, sizeof *video);
    if (video == NULL) {
        return ami_media_memory;
    }
    video->descriptor = -1;
    enum ami_media_result result = open_file(video, path, detail);
    if (result == ami_media_ok) {
        result = open_container(video, detail);
    }
    if (result == ami_media_ok) {
        result = open_decoder(video, max_pixels, detail);
    }
    if (result == ami_media_ok) {
        *out = video;
    } else {
        ami_video_close(video);
    }
    return result;
}

void ami_video_close(ami_video *video) {
    if (video == NULL) {
        return;
    }
    ami_ffmpeg.sws_freeContext(video->scaler);
    ami_ffmpeg.av_frame_free(&video->frame);
    ami_ffmpeg.av_packet_free(&video->packet);
    ami_ffmpeg.avcodec_free_context(&video->decoder);
    ami_ffmpeg.avformat_close_input(&video->format);
    if (video->io != NULL) {
        ami_ffmpeg.av_freep(&video->io->buffer);
        ami_ffmpeg.avio_context_free(&video->io);
    }
    if (video->descriptor >= 0) {
        close(video->descriptor);
    }
    free(video);
}

const char *ami_video_format(const ami_video *video) { return video->format->iformat->name; }

void ami_video_rate(const ami_video *video, int *numerator, int *denominator) {
    AVRational rate = video->format->streams[video->stream]->avg_frame_rate;
    *numerator = rate.num;
    *denominator = rate.den;
}

int ami_video_matrix(const ami_video *video, int32_t matrix[9]) {
    const AVStream *stream = video->format->streams[video->stream];
    const uint8_t *data = NULL;
    size_t size = 0;
    // FFmpeg 5 changed the size of side data to size_t.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData *found =
        ami_ffmpeg.av_packet_side_data_get(stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data,
                                AV_PKT_DATA_DISPLAYMATRIX);
    if (found != NULL) {
        data = found->data;
        size = found->size;
    }
#elif LIBAVFORMAT_VERSION_MAJOR >= 59
    data = ami_ffmpeg.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
#else
    int length = 0;
    data = ami_ffmpeg.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &length);
    size = (size_t)length;
#endif
    if (data == NULL || size < 9 * sizeof *matrix) {
        return 0;
    }
    memcpy(matrix, data, 9 * sizeof *matrix);
    return 1;
}

size_t ami_video_width(const ami_video *video) { return (size_t)video->frame->width; }
size_t ami_video_height(const ami_video *video) { return (size_t)video->frame->height; }

/// Sends the next packet of the stream, or the end of the stream, to the decoder.
static enum ami_media_result feed(struct ami_video *video, int *detail) {
    int code;
    while ((code = ami_ffmpeg.av_read_frame(video->format, video->packet)) >= 0) {
        int is_ours = video->packet->stream_index == video->stream;
        int is_short = (video->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
        code = !is_ours ? 0 : is_short ? AVERROR_INVALIDDATA
                                       : ami_ffmpeg.avcodec_send_packet(video->decoder, video->packet);
        ami_ffmpeg.av_packet_unref(video->packet);
        if (code < 0) {
            return failure(code, detail);
        }
        if (is_ours) {
            return ami_media_ok;
        }
    }
    if (code != AVERROR_EOF || (video->io->error != 0 && video->io->error != AVERROR_EOF)) {
        return failure(code, detail);
    }
    video->drained = 1;
    code = ami_ffmpeg.avcodec_send_packet(video->decoder, NULL);
    return code < 0 ? failure(code, detail) : ami_media_ok;
}

enum ami_media_result ami_video_next(ami_video *video, int *detail) {
    *detail = 0;
    for (;;) {
        int code = ami_ffmpeg.avcodec_receive_frame(video->decoder, video->frame);
        if (code == AVERROR_EOF) {
            return ami_media_end;
        }
        if (code == AVERROR(EAGAIN) && !video->drained) {
            enum ami_media_result result = feed(video, detail);
            if (result != ami_media_ok) {
                return result;
            }
            continue;
        }
        if (code < 0) {
            return failure(code, detail);
        }
        AVFrame *frame = video->frame;
        if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
            return failure(AVERROR_INVALIDDATA, detail);
        }
        if (video->width == 0) {
            video->width = frame->width;
            video->height = frame->height;
        }
        return frame->width == video->width && frame->height == video->height
                   ? ami_media_ok
                   : ami_media_size_changed;
    }
}

/// Prepares the conversion to RGB with the colour matrix and range of the stream; default: BT.601
/// with limited range for every frame size, as in swscale. With only the bilinear flag, the results
/// for 8 and 10 bits equal those of decord; accurate rounding would interpolate chroma, which
/// decord does not do.
static enum ami_media_result prepare(struct ami_video *video) {
    const AVFrame *frame = video->frame;
    int range = frame->color_range == AVCOL_RANGE_JPEG;
    if (video->scaler != NULL && video->pixels == frame->format && video->colours == (int)frame->colorspace &&
        video->range == range) {
        return ami_media_ok;
    }
    ami_ffmpeg.sws_freeContext(video->scaler);
    if (!ami_ffmpeg.sws_isSupportedInput((enum AVPixelFormat)frame->format)) {
        video->scaler = NULL;
        return ami_media_pixels_unsupported;
    }
    video->scaler = ami_ffmpeg.sws_getContext(frame->width, frame->height, (enum AVPixelFormat)frame->format,
                                   frame->width, frame->height, AV_PIX_FMT_RGB24,
                                   SWS_BILINEAR, NULL, NULL, NULL);
    if (video->scaler == NULL) {
        return ami_media_pixels_unsupported;
    }
    int *from, *to, from_range, to_range, brightness, contrast, saturation;
    if (ami_ffmpeg.sws_getColorspaceDetails(video->scaler, &from, &from_range, &to, &to_range, &brightness, &contrast,
                                 &saturation) >= 0) {
        const AVPixFmtDescriptor *format = ami_ffmpeg.av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
        int is_yuv = format != NULL && (format->flags & AV_PIX_FMT_FLAG_RGB) == 0;
        ami_ffmpeg.sws_setColorspaceDetails(video->scaler, ami_ffmpeg.sws_getCoefficients((int)frame->colorspace),
                                 is_yuv ? range || from_range : from_range, to, to_range, brightness,
                                 contrast, saturation);
    }
    video->pixels = frame->format;
    video->colours = (int)frame->colorspace;
    video->range = range;
    return ami_media_ok;
}

enum ami_media_result ami_video_copy_rgb(ami_video *video, uint8_t *rgb) {
    enum ami_media_result result = prepare(video);
    if (result != ami_media_ok) {
        return result;
    }
    // swscale writes past the end of a row, so the rows need padding.
    AVFrame *padded = ami_ffmpeg.av_frame_alloc();
    if (padded == NULL) {
        return ami_media_memory;
    }
    int width = padded->width = video->frame->width;
    int height = padded->height = video->frame->height;
    padded->format = AV_PIX_FMT_RGB24;
    int rows = 0;
    if (ami_ffmpeg.av_frame_get_buffer(padded, 64) >= 0) {
        rows = ami_ffmpeg.sws_scale(video->scaler, (const uint8_t *const *)video->frame->data,
                         video->frame->linesize, 0, height, padded->data, padded->linesize);
        for (int y = 0; y < rows; y++) {
            memcpy(rgb + (size_t)y * width * 3, padded->data[0] + (ptrdiff_t)y * padded->linesize[0],
                   (size_t)width * 3);
        }
    }
    ami_ffmpeg.av_frame_free(&padded);
    return rows == height ? ami_media_ok : ami_media_pixels_unsupported;
}
