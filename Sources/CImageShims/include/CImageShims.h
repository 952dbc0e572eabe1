// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// PNG, JPEG and WebP files in memory to packed RGB, and RGB to PNG.
//
// In C because libjpeg and libpng report errors through longjmp, which must never cross a Swift
// frame: every call that can fail lands in the function that made it, and returns a result.

#ifndef AMI_ZOO_CIMAGE_SHIMS_H
#define AMI_ZOO_CIMAGE_SHIMS_H

#include <stddef.h>
#include <stdint.h>

enum ami_image_result {
    ami_image_ok,
    /// The bytes break the rules of their format, or are truncated.
    ami_image_damaged,
    /// The file uses a feature of its format that is not read.
    ami_image_unsupported,
    /// A side or the number of scans exceeds what is read.
    ami_image_too_large,
    /// Memory ran out.
    ami_image_memory,
};

enum ami_image_kind { ami_image_png, ami_image_jpeg, ami_image_webp };

/// An image file being decoded.
typedef struct ami_image ami_image;

/// Reads the header; allocates nothing that grows with the image.
///
/// `bytes` must outlive the image. The image is set also on failure, for ami_image_problem, unless
/// memory ran out.
enum ami_image_result ami_image_open(enum ami_image_kind kind, const uint8_t *bytes, size_t count,
                                     ami_image **image);

/// The size that the header states; valid after ami_image_open succeeded.
size_t ami_image_width(const ami_image *image);
size_t ami_image_height(const ami_image *image);

/// Decodes width * height * 3 bytes, equal to `Image.open(path).convert("RGB")` of Pillow; once.
///
/// `rgb` must be zero-filled.
enum ami_image_result ami_image_decode(ami_image *image, uint8_t *rgb);

/// What the library said about the last failure; empty when it said nothing.
const char *ami_image_problem(const ami_image *image);

void ami_image_free(ami_image *image);

/// Compresses packed RGB as PNG and passes the file to `take`, once.
enum ami_image_result ami_png_encode(const uint8_t *rgb, size_t width, size_t height, void *context,
                                     void (*take)(void *context, const uint8_t *bytes, size_t count));

#endif
