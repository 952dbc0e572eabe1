// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "image.h"

#include <stdlib.h>

enum ami_image_result ami_image_fail(ami_image *image, enum ami_image_result result, const char *problem) {
    image->result = result;
    snprintf(image->problem, sizeof image->problem, "%s", problem);
    return result;
}

enum ami_image_result ami_image_open(enum ami_image_kind kind, const uint8_t *bytes, size_t count,
                                     ami_image **out) {
    ami_image *image = *out = calloc(1, sizeof *image);
    if (image == NULL) {
        return ami_image_memory;
    }
    image->kind = kind;
    image->bytes = bytes;
    image->count = count;
    switch (kind) {
        case ami_image_png: return ami_png_open(image);
        case ami_image_jpeg: return ami_jpeg_open(image);
        case ami_image_webp: return ami_webp_open(image);
    }
    return ami_image_unsupported;
}

size_t ami_image_width(const ami_image *image) { return image->width; }
size_t ami_image_height(const ami_image *image) { return image->height; }
const char *ami_image_problem(const ami_image *image) { return image->problem; }

bool ami_image_is_cancelled(ami_image *image) {
    if (image->is_cancelled == NULL || !image->is_cancelled(image->context)) {
        return false;
    }
    ami_image_fail(image, ami_image_cancelled, "it was cancelled");
    return true;
}

void ami_image_check_cancelled(ami_image *image) {
    if (ami_image_is_cancelled(image)) {
        longjmp(image->failure, 1);
    }
}

enum ami_image_result ami_image_decode(ami_image *image, uint8_t *rgb, void *context,
                                       bool (*is_cancelled)(void *context)) {
    image->context = context;
    image->is_cancelled = is_cancelled;
    switch (image->kind) {
        case ami_image_png: return ami_png_decode(image, rgb);
        case ami_image_jpeg: return ami_jpeg_decode(image, rgb);
        case ami_image_webp: return ami_webp_decode(image, rgb);
    }
    return ami_image_unsupported;
}

void ami_image_free(ami_image *image) {
    if (image == NULL) {
        return;
    }
    switch (image->kind) {
        case ami_image_png: ami_png_free(image); break;
        case ami_image_jpeg: ami_jpeg_free(image); break;
        case ami_image_webp: ami_webp_free(image); break;
    }
    free(image);
}
