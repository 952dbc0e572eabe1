// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// For dladdr.
#define _GNU_SOURCE
#include "image.h"

#include <dlfcn.h>
#include <jerror.h>
#include <stdlib.h>

/// Encoders write up to about 20 scans; each one costs a full pass over the image.
enum { scan_limit = 100 };

static enum ami_image_result result_of(int code) {
    switch (code) {
        case JERR_OUT_OF_MEMORY: return ami_image_memory;
        case JERR_IMAGE_TOO_BIG: return ami_image_too_large;
        case JERR_BAD_PRECISION:
        case JERR_SOF_UNSUPPORTED:
        case JERR_ARITH_NOTIMPL:
        case JERR_CCIR601_NOTIMPL:
        case JERR_CONVERSION_NOTIMPL:
        case JERR_FRACT_SAMPLE_NOTIMPL:
        case JERR_NOT_COMPILED: return ami_image_unsupported;
        default: return ami_image_damaged;
    }
}

static _Noreturn void exit_on_error(j_common_ptr info) {
    ami_image *image = info->client_data;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    ami_image_fail(image, result_of(info->err->msg_code), message);
    longjmp(image->failure, 1);
}

/// libjpeg, and therefore Pillow, continues after damaged data and fills in lost pixels. Here such
/// warnings are errors, except those that do not change the pixels.
static void on_message(j_common_ptr info, int level) {
    if (level >= 0) {
        return;
    }
    switch (info->err->msg_code) {
        case JWRN_EXTRANEOUS_DATA: {
            // Cameras pad image data, which is harmless; extra bytes between header segments mean
            // lost markers.
            const ami_image *image = info->client_data;
            if (image->width == 0) {
                exit_on_error(info);
            }
            break;
        }
        case JWRN_HIT_MARKER:
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
        case JWRN_JPEG_EOF:
        case JWRN_MUST_RESYNC: exit_on_error(info);
        default: break;
    }
}

static void stay_silent(j_common_ptr info) { (void)info; }

/// Called for each row of blocks, of each scan and of the output.
static void check_progress(j_common_ptr info) {
    ami_image *image = info->client_data;
    ami_image_check_cancelled(image);
    if (((j_decompress_ptr)info)->input_scan_number > scan_limit) {
        ami_image_fail(image, ami_image_too_large, "it has more than 100 scans");
        longjmp(image->failure, 1);
    }
}

enum ami_image_result ami_jpeg_open(ami_image *image) {
    struct jpeg_decompress_struct *jpeg = &image->jpeg;
    jpeg->err = jpeg_std_error(&image->jpeg_errors);
    image->jpeg_errors.error_exit = exit_on_error;
    image->jpeg_errors.emit_message = on_message;
    image->jpeg_errors.output_message = stay_silent;
    jpeg->client_data = image;
    if (setjmp(image->failure) != 0) {
        return image->result;
    }
    jpeg_create_decompress(jpeg);
    image->jpeg_progress.progress_monitor = check_progress;
    jpeg->progress = &image->jpeg_progress;
    jpeg_mem_src(jpeg, image->bytes, (unsigned long)image->count);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->data_precision != 8) {
        return ami_image_fail(image, ami_image_unsupported, "its samples do not have 8 bits");
    }
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4) {
        return ami_image_fail(image, ami_image_unsupported, "it has neither 1, 3 nor 4 components");
    }
    image->width = jpeg->image_width;
    image->height = jpeg->image_height;
    return ami_image_ok;
}

/// a * b / 255, rounded as Pillow's MULDIV255.
static int multiply(int a, int b) {
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/// Adobe stores CMYK inverted, and Pillow treats every file with four components as an Adobe file.
static void convert_cmyk(const uint8_t *cmyk, size_t width, uint8_t *rgb) {
    for (size_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int light = cmyk[3];
        for (int channel = 0; channel < 3; channel++) {
            int level = light - multiply(255 - cmyk[channel], light);
            rgb[channel] = (uint8_t)(level < 0 ? 0 : level);
        }
    }
}

enum ami_image_result ami_jpeg_decode(ami_image *image, uint8_t *rgb) {
    struct jpeg_decompress_struct *jpeg = &image->jpeg;
    int is_cmyk = jpeg->num_components == 4;
    if (is_cmyk && (image->cmyk = malloc(image->width * 4)) == NULL) {
        return ami_image_memory;
    }
    if (setjmp(image->failure) != 0) {
        return image->result;
    }
    jpeg->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = rgb + image->width * 3 * jpeg->output_scanline;
        uint8_t *target = is_cmyk ? image->cmyk : row;
        jpeg_read_scanlines(jpeg, &target, 1);
        if (is_cmyk) {
            convert_cmyk(image->cmyk, image->width, row);
        }
    }
    // Reads up to the end marker.
    jpeg_finish_decompress(jpeg);
    return ami_image_ok;
}

void ami_jpeg_free(ami_image *image) {
    jpeg_destroy_decompress(&image->jpeg);
    free(image->cmyk);
}

#define AMI_TEXT(value) #value
#define AMI_VALUE_TEXT(macro) AMI_TEXT(macro)

const char *ami_jpeg_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " AMI_VALUE_TEXT(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " AMI_VALUE_TEXT(JPEG_LIB_VERSION);
#endif
}

const char *ami_jpeg_library(void) {
    Dl_info info;
    return dladdr((void *)jpeg_read_header, &info) != 0 ? info.dli_fname : NULL;
}
