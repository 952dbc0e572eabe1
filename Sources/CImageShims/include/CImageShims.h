// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Decodes PNG, JPEG and WebP files in memory to packed RGB, and encodes RGB as PNG.
//
// Written in C because libjpeg and libpng report errors with longjmp, which must never cross a
// Swift frame: each function here catches the errors of its calls and returns a result.

#ifndef AMI_ZOO_CIMAGE_SHIMS_H
#define AMI_ZOO_CIMAGE_SHIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ami_image_result {
    ami_image_ok,
    /// The file is malformed or truncated.
    ami_image_damaged,
    /// The file uses an unsupported feature of its format.
    ami_image_unsupported,
    /// A side or the number of scans exceeds a limit.
    ami_image_too_large,
    /// Memory ran out.
    ami_image_memory,
    /// `is_cancelled` returned true.
    ami_image_cancelled,
};

enum ami_image_kind { ami_image_png, ami_image_jpeg, ami_image_webp };

/// An image file being decoded.
typedef struct ami_image ami_image;

/// Reads the header; allocates nothing that grows with the image.
///
/// `bytes` must outlive the image. The image is also set on failure, for ami_image_problem, unless
/// memory ran out.
enum ami_image_result ami_image_open(enum ami_image_kind kind, const uint8_t *bytes, size_t count,
                                     ami_image **image);

/// The size in the header; valid after ami_image_open succeeded.
size_t ami_image_width(const ami_image *image);
size_t ami_image_height(const ami_image *image);

/// Decodes width * height * 3 bytes, equal to Pillow's `Image.open(path).convert("RGB")`. Call it
/// once.
///
/// `rgb` must be zero-filled. `is_cancelled` is called with `context` between rows of PNG and JPEG, in
/// each scan of a progressive JPEG file.
enum ami_image_result ami_image_decode(ami_image *image, uint8_t *rgb, void *context,
                                       bool (*is_cancelled)(void *context));

/// The library's message for the last failure; empty if there is none.
const char *ami_image_problem(const ami_image *image);

void ami_image_free(ami_image *image);

/// The version of libjpeg in the headers, such as "libjpeg-turbo 2.1.5": the library does not tell its own.
const char *ami_jpeg_version(void);

/// The path of the libjpeg that is loaded; null if it is not known.
const char *ami_jpeg_library(void);

/// The version of libwebp that is loaded: 0x010203 is 1.2.3.
int ami_webp_version(void);

/// Encodes packed RGB as PNG and calls `take` once with the file.
enum ami_image_result ami_png_encode(const uint8_t *rgb, size_t width, size_t height, void *context,
                                     void (*take)(void *context, const uint8_t *bytes, size_t count));

#endif
