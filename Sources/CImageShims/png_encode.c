// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "image.h"

#include <stdlib.h>
#include <string.h>

struct encoder {
    jmp_buf failure;
    uint8_t *bytes;
    size_t count, capacity;
    png_structp png;
    png_infop info;
};

static _Noreturn void on_error(png_structp png, png_const_charp message) {
    (void)message;
    struct encoder *encoder = png_get_error_ptr(png);
    longjmp(encoder->failure, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    struct encoder *encoder = png_get_io_ptr(png);
    if (encoder->capacity - encoder->count < count) {
        size_t capacity = 2 * encoder->capacity + count;
        uint8_t *larger = realloc(encoder->bytes, capacity);
        if (larger == NULL) {
            png_error(png, "out of memory");
        }
        encoder->bytes = larger;
        encoder->capacity = capacity;
    }
    memcpy(encoder->bytes + encoder->count, bytes, count);
    encoder->count += count;
}

static void flush(png_structp png) { (void)png; }

static enum ami_image_result encode(struct encoder *encoder, const uint8_t *rgb, size_t width, size_t height) {
    if (setjmp(encoder->failure) != 0) {
        // The caller has checked the sizes, so the only possible failure is memory.
        return ami_image_memory;
    }
    encoder->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, encoder, on_error, on_warning);
    if (encoder->png == NULL || (encoder->info = png_create_info_struct(encoder->png)) == NULL) {
        return ami_image_memory;
    }
    png_set_write_fn(encoder->png, encoder, write_bytes, flush);
    png_set_user_limits(encoder->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(encoder->png, encoder->info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(encoder->png, encoder->info);
    for (size_t y = 0; y < height; y++) {
        png_write_row(encoder->png, rgb + y * width * 3);
    }
    png_write_end(encoder->png, encoder->info);
    return ami_image_ok;
}

enum ami_image_result ami_png_encode(const uint8_t *rgb, size_t width, size_t height, void *context,
                                     void (*take)(void *context, const uint8_t *bytes, size_t count)) {
    if (width > PNG_UINT_31_MAX || height > PNG_UINT_31_MAX) {
        return ami_image_too_large;
    }
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL) {
        return ami_image_memory;
    }
    enum ami_image_result result = encode(encoder, rgb, width, height);
    png_destroy_write_struct(&encoder->png, &encoder->info);
    if (result == ami_image_ok) {
        take(context, encoder->bytes, encoder->count);
    }
    free(encoder->bytes);
    free(encoder);
    return result;
}
