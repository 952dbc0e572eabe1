// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Decodes video files to frames of packed RGB.
//
// Written in C because FFmpeg types differ between the versions in distributions (constness of
// codecs, SwsContext from opaque to public), and because its error numbers and time stamps are
// macros. Swift sees a few functions with opaque handles.

#ifndef AMI_ZOO_CFFMPEG_SHIMS_H
#define AMI_ZOO_CFFMPEG_SHIMS_H

#include <stddef.h>
#include <stdint.h>

enum ami_media_result {
    ami_media_ok,
    /// The video has no more frames.
    ami_media_end,
    /// A system call failed; the detail is its errno.
    ami_media_system,
    /// The path is not a regular file.
    ami_media_not_a_file,
    /// No container format recognises the bytes.
    ami_media_unrecognised,
    /// A format that refers to other files, or that is not a video format.
    ami_media_refused,
    /// A container without a video stream.
    ami_media_no_stream,
    /// This FFmpeg has no decoder for the stream.
    ami_media_no_decoder,
    /// A frame has more pixels than allowed.
    ami_media_too_large,
    /// The file is malformed; the detail is FFmpeg's error number.
    ami_media_damaged,
    /// The size of a frame differs from the size of the first frame.
    ami_media_size_changed,
    /// A frame has a pixel format that cannot be converted to RGB.
    ami_media_pixels_unsupported,
    /// Memory ran out.
    ami_media_memory,
};

/// Loads FFmpeg's libraries and stops them from writing to standard error, for the whole process.
///
/// Must have succeeded before any other function is called. Returns null, or why they cannot be used.
const char *ami_media_load(void);

/// The major versions of libavformat and libswscale that are loaded, for messages.
int ami_media_avformat_version(void);
int ami_media_swscale_version(void);

/// The version of FFmpeg that is loaded, such as "7.1.1".
const char *ami_media_version(void);

/// A video being decoded from its first frame to its last.
typedef struct ami_video ami_video;

/// Opens a file and the decoder of its best video stream. Opens no other file and no network.
enum ami_media_result ami_video_open(const char *path, int64_t max_pixels, ami_video **video,
                                     int *detail);

/// The name of the container format, such as "mov,mp4,m4a,3gp,3g2,mj2".
const char *ami_video_format(const ami_video *video);

/// The average frame rate as a fraction; 0/0 if the file does not state it.
void ami_video_rate(const ami_video *video, int *numerator, int *denominator);

/// The display matrix of the stream, row by row: how to display the stored frames.
///
/// Returns 0 if there is none.
int ami_video_matrix(const ami_video *video, int32_t matrix[9]);

/// Decodes the next frame.
enum ami_media_result ami_video_next(ami_video *video, int *detail);

/// The stored size of the last decoded frame.
size_t ami_video_width(const ami_video *video);
size_t ami_video_height(const ami_video *video);

/// Converts the last decoded frame to width * height * 3 bytes.
enum ami_media_result ami_video_copy_rgb(ami_video *video, uint8_t *rgb);

void ami_video_close(ami_video *video);

/// FFmpeg's text for one of its error numbers.
void ami_media_error_text(int detail, char *text, size_t capacity);

#endif
