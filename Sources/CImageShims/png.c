// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "image.h"

#include <stdlib.h>
#include <string.h>

/// The maximum side in pixels, libpng's default; a row is in memory several times.
enum { side_limit = 1000000 };

/// Chunks that do not affect the pixels that Pillow converts to RGB. They are neither stored nor
/// inflated, so they cannot exhaust memory, but their checksums are verified.
static const png_byte skipped_chunks[] =
    "tRNS\0bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0"
    "tEXt\0tIME\0zTXt";

static _Noreturn void on_error(png_structp png, png_const_charp message) {
    ami_image *image = png_get_error_ptr(png);
    int is_memory = strstr(message, "memory") != NULL;
    ami_image_fail(image, is_memory ? ami_image_memory : ami_image_damaged, message);
    longjmp(image->failure, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    ami_image *image = png_get_io_ptr(png);
    if (image->count - image->position < count) {
        png_error(png, "the file is truncated");
    }
    memcpy(target, image->bytes + image->position, count);
    image->position += count;
}

enum ami_image_result ami_png_open(ami_image *image) {
    if (setjmp(image->failure) != 0) {
        return image->result;
    }
    image->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, image, on_error, on_warning);
    if (image->png == NULL || (image->png_info = png_create_info_struct(image->png)) == NULL) {
        return ami_image_memory;
    }
    png_structp png = image->png;
    png_set_read_fn(png, image, read_bytes);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, sizeof skipped_chunks / 5);
    // The sides are checked below, with a specific result for sides that are too large.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png, image->png_info);
    image->width = png_get_image_width(png, image->png_info);
    image->height = png_get_image_height(png, image->png_info);
    if (image->width > side_limit || image->height > side_limit) {
        return ami_image_fail(image, ami_image_too_large, "a side has more than 1000000 pixels");
    }
    return ami_image_ok;
}

/// Expands one-byte indices at the start of `rgb` to colours in place, from the last to the first.
static enum ami_image_result expand_palette(ami_image *image, uint8_t *rgb) {
    png_colorp palette = NULL;
    int colours = 0;
    png_get_PLTE(image->png, image->png_info, &palette, &colours);
    for (size_t i = image->width * image->height; i-- > 0;) {
        int index = rgb[i];
        if (index >= colours) {
            // The resulting colour differs between versions of Pillow.
            return ami_image_fail(image, ami_image_damaged, "a pixel has a colour outside the palette");
        }
        rgb[3 * i] = palette[index].red;
        rgb[3 * i + 1] = palette[index].green;
        rgb[3 * i + 2] = palette[index].blue;
    }
    return ami_image_ok;
}

/// Expands 16-bit grey at the start of `rgb` in place. Pillow clips levels at 255 instead of
/// scaling them.
static void expand_wide_grey(const ami_image *image, uint8_t *rgb) {
    for (size_t i = image->width * image->height; i-- > 0;) {
        uint8_t level = rgb[2 * i] != 0 ? 255 : rgb[2 * i + 1];
        rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = level;
    }
}

enum ami_image_result ami_png_decode(ami_image *image, uint8_t *rgb) {
    if (setjmp(image->failure) != 0) {
        return image->result;
    }
    png_structp png = image->png;
    png_byte depth = png_get_bit_depth(png, image->png_info);
    png_byte colours = png_get_color_type(png, image->png_info);
    int is_grey = (colours & PNG_COLOR_MASK_COLOR) == 0;
    int is_indexed = colours == PNG_COLOR_TYPE_PALETTE;
    int is_wide_grey = colours == PNG_COLOR_TYPE_GRAY && depth == 16;
    if (is_indexed) {
        png_set_packing(png);
    } else if (!is_wide_grey) {
        if (is_grey) {
            png_set_expand_gray_1_2_4_to_8(png);
            png_set_gray_to_rgb(png);
        }
        // Keeps the upper byte, as Pillow does for 16-bit colours.
        png_set_strip_16(png);
        png_set_strip_alpha(png);
    }
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, image->png_info);
    size_t stride = image->width * (is_indexed ? 1 : is_wide_grey ? 2 : 3);
    if (png_get_rowbytes(png, image->png_info) != stride) {
        return ami_image_fail(image, ami_image_unsupported, "its colours are of an unknown kind");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < image->height; y++) {
            ami_image_check_cancelled(image);
            png_read_row(png, rgb + y * stride, NULL);
        }
    }
    png_read_end(png, NULL);
    if (is_indexed) {
        return expand_palette(image, rgb);
    }
    if (is_wide_grey) {
        expand_wide_grey(image, rgb);
    }
    return ami_image_ok;
}

void ami_png_free(ami_image *image) { png_destroy_read_struct(&image->png, &image->png_info, NULL); }
