// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_IMAGE_H
#define AMI_ZOO_IMAGE_H

// jpeglib.h uses FILE and size_t without declaring them.
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>
#include <setjmp.h>
#include <webp/demux.h>

#include "CImageShims.h"

struct ami_image {
    enum ami_image_kind kind;
    const uint8_t *bytes;
    size_t count, width, height;
    /// The longjmp target for errors of libjpeg and libpng, set by every function that calls them.
    jmp_buf failure;
    /// The result for the last failure.
    enum ami_image_result result;
    char problem[256];

    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr jpeg_errors;
    struct jpeg_progress_mgr jpeg_progress;
    uint8_t *cmyk;

    void *context;
    bool (*is_cancelled)(void *context);

    png_structp png;
    png_infop png_info;
    size_t position;

    WebPDemuxer *webp;
};

/// Records a failure and returns its result.
enum ami_image_result ami_image_fail(ami_image *image, enum ami_image_result result, const char *problem);

/// Whether the caller has cancelled the decoder; if so, records that as the failure.
bool ami_image_is_cancelled(ami_image *image);

/// Leaves the decoder with longjmp when the caller has cancelled it.
void ami_image_check_cancelled(ami_image *image);

enum ami_image_result ami_jpeg_open(ami_image *image);
enum ami_image_result ami_jpeg_decode(ami_image *image, uint8_t *rgb);
void ami_jpeg_free(ami_image *image);

enum ami_image_result ami_png_open(ami_image *image);
enum ami_image_result ami_png_decode(ami_image *image, uint8_t *rgb);
void ami_png_free(ami_image *image);

enum ami_image_result ami_webp_open(ami_image *image);
enum ami_image_result ami_webp_decode(ami_image *image, uint8_t *rgb);
void ami_webp_free(ami_image *image);

#endif
