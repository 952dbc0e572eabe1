// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Files and bytes to decoded pictures, and pictures to packed RGB.
//
// In C because types of FFmpeg change between the versions that distributions carry (constness of
// codecs, SwsContext from opaque to open), and because its error numbers and time stamps are macros;
// a C compiler takes all of that, and Swift sees a few functions over opaque handles.

#ifndef AMI_ZOO_CFFMPEG_SHIMS_H
#define AMI_ZOO_CFFMPEG_SHIMS_H

#include <stddef.h>
#include <stdint.h>

/// What a call came to.
enum ami_media_result {
    ami_media_ok,
    /// There is no further picture.
    ami_media_end,
    /// A system call failed; the detail is its errno.
    ami_media_system,
    /// The path is not a regular file.
    ami_media_not_a_file,
    /// No container format recognises the bytes.
    ami_media_unrecognised,
    /// A format that names other files, or one that is not a video.
    ami_media_refused,
    /// A container without a video stream.
    ami_media_no_stream,
    /// The linked FFmpeg has no decoder for the stream.
    ami_media_no_decoder,
    /// A picture has more pixels than allowed.
    ami_media_too_large,
    /// The bytes break the rules of their format; the detail is FFmpeg's error number.
    ami_media_damaged,
    /// A picture has another size than the first one.
    ami_media_size_changed,
    /// A picture has a pixel format that is not turned into RGB.
    ami_media_pixels_unsupported,
    /// Memory ran out.
    ami_media_memory,
};

/// Stops FFmpeg from writing to standard error; for the whole process.
void ami_media_silence(void);

/// A decoded picture.
typedef struct ami_picture ami_picture;

/// The kinds of still image, which also decide how chroma becomes RGB.
enum ami_image_kind { ami_image_png, ami_image_jpeg, ami_image_webp };

/// Decodes a whole file in memory.
enum ami_media_result ami_image_decode(enum ami_image_kind kind, const uint8_t *bytes, size_t count,
                                       int64_t max_pixels, ami_picture **picture, int *detail);

size_t ami_picture_width(const ami_picture *picture);
size_t ami_picture_height(const ami_picture *picture);

/// Writes width * height * 3 bytes, as the reference decoder of that kind would.
enum ami_media_result ami_picture_copy_rgb(const ami_picture *picture, uint8_t *rgb);

void ami_picture_free(ami_picture *picture);

/// A video being decoded from its first picture to its last.
typedef struct ami_video ami_video;

/// Opens a file and the decoder of its best video stream. Opens no other file and no network.
enum ami_media_result ami_video_open(const char *path, int64_t max_pixels, ami_video **video,
                                     int *detail);

/// The name of the container format, such as "mov,mp4,m4a,3gp,3g2,mj2".
const char *ami_video_format(const ami_video *video);

/// The average frame rate as a fraction; 0/0 when the file does not say.
void ami_video_rate(const ami_video *video, int *numerator, int *denominator);

/// Decodes the next picture.
enum ami_media_result ami_video_next(ami_video *video, int *detail);

/// The size of the picture that was decoded last.
size_t ami_video_width(const ami_video *video);
size_t ami_video_height(const ami_video *video);

/// Converts the picture that was decoded last to width * height * 3 bytes.
enum ami_media_result ami_video_copy_rgb(ami_video *video, uint8_t *rgb);

void ami_video_close(ami_video *video);

/// Compresses packed RGB as PNG and hands the bytes to `take`.
enum ami_media_result ami_png_encode(const uint8_t *rgb, int width, int height, void *context,
                                     void (*take)(void *context, const uint8_t *bytes, size_t count));

/// FFmpeg's text for one of its error numbers.
void ami_media_error_text(int detail, char *text, size_t capacity);

#endif
