// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "ffmpeg.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include "CFFmpegShims.h"

// The major version names the binary interface, so these are the libraries that the headers describe.
#ifdef __APPLE__
#define AMI_LIBRARY(name, version) "lib" name "." AV_STRINGIFY(version) ".dylib"
#else
#define AMI_LIBRARY(name, version) "lib" name ".so." AV_STRINGIFY(version)
#endif

enum { avutil, avcodec, avformat, swscale, library_count };

static const char *const libraries[library_count] = {
    AMI_LIBRARY("avutil", LIBAVUTIL_VERSION_MAJOR),
    AMI_LIBRARY("avcodec", LIBAVCODEC_VERSION_MAJOR),
    AMI_LIBRARY("avformat", LIBAVFORMAT_VERSION_MAJOR),
    AMI_LIBRARY("swscale", LIBSWSCALE_VERSION_MAJOR),
};

#define AMI_FFMPEG_SYMBOL(library, name) {library, #name, offsetof(struct ami_ffmpeg, name)},

static const struct {
    int library;
    const char *name;
    size_t offset;
} symbols[] = {AMI_FFMPEG_FUNCTIONS(AMI_FFMPEG_SYMBOL)};

struct ami_ffmpeg ami_ffmpeg;

static char failure[512];

static void load(void) {
    void *handles[library_count];
    for (int i = 0; i < library_count; i++) {
        handles[i] = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (handles[i] == NULL) {
            snprintf(failure, sizeof failure, "%s", dlerror());
            return;
        }
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *function = dlsym(handles[symbols[i].library], symbols[i].name);
        if (function == NULL) {
            snprintf(failure, sizeof failure, "%s has no function %s", libraries[symbols[i].library],
                     symbols[i].name);
            return;
        }
        *(void **)((char *)&ami_ffmpeg + symbols[i].offset) = function;
    }
    ami_ffmpeg.av_log_set_level(AV_LOG_QUIET);
}

const char *ami_media_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return failure[0] == 0 ? NULL : failure;
}

const char *ami_media_version(void) { return ami_ffmpeg.av_version_info(); }

int ami_media_avformat_version(void) { return LIBAVFORMAT_VERSION_MAJOR; }
int ami_media_swscale_version(void) { return LIBSWSCALE_VERSION_MAJOR; }
