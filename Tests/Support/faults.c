// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// A library for LD_PRELOAD that makes reads of one file slow or fail, and listings of one folder
// fail. FAULT_PATH names both: what the path of the file or folder ends with.
//
// FAULT_ERRNO   what a read fails with; nothing for reads that succeed
// FAULT_AFTER   the first byte that cannot be read; default: 0
// FAULT_DELAY   milliseconds that each read takes
// FAULT_MARK    a file that is made by the first read
// FAULT_MARK_AFTER  how many reads come before the one that makes it; default: 0
// FAULT_NAMES   how many names of the folder are listed before listing fails with FAULT_ERRNO
//
// It also kills the process at one system call; FAULT_PATH is then what the old or the new path ends
// with, and a '*' at its end stands for one component.
//
// FAULT_KILL    'rename' (before it), 'renamed' (after it), 'unlink' or 'rmdir' (before it)

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_meant(int descriptor) {
    const char *suffix = getenv("FAULT_PATH");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (suffix == NULL || length < (ssize_t)strlen(suffix)) {
        return false;
    }
    path[length] = 0;
    return strcmp(path + length - strlen(suffix), suffix) == 0;
}

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : atol(text);
}

static ssize_t read_at(int descriptor, void *buffer, size_t count, off64_t offset) {
    static ssize_t (*next)(int, void *, size_t, off64_t);
    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "pread64");
    }
    if (is_meant(descriptor)) {
        const char *mark = getenv("FAULT_MARK");
        static atomic_long reads;
        if (mark != NULL && atomic_fetch_add(&reads, 1) >= number("FAULT_MARK_AFTER", 0)) {
            close(open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        }
        usleep((useconds_t)number("FAULT_DELAY", 0) * 1000);
        const long error = number("FAULT_ERRNO", 0);
        if (error != 0 && getenv("FAULT_NAMES") == NULL && offset + (off64_t)count > number("FAULT_AFTER", 0)) {
            errno = (int)error;
            return -1;
        }
    }
    return next(descriptor, buffer, count, offset);
}

ssize_t pread(int descriptor, void *buffer, size_t count, off_t offset) {
    return read_at(descriptor, buffer, count, offset);
}

ssize_t pread64(int descriptor, void *buffer, size_t count, off64_t offset) {
    return read_at(descriptor, buffer, count, offset);
}

static bool listing_fails(DIR *stream) {
    static __thread DIR *listed;
    static __thread long names;
    if (getenv("FAULT_NAMES") == NULL || !is_meant(dirfd(stream))) {
        return false;
    }
    if (stream != listed) {
        listed = stream;
        names = 0;
    }
    // The folder itself and the one above it are listed as well.
    return names++ >= number("FAULT_NAMES", 0) + 2;
}

struct dirent *readdir(DIR *stream) {
    static struct dirent *(*next)(DIR *);
    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "readdir");
    }
    if (listing_fails(stream)) {
        errno = (int)number("FAULT_ERRNO", EIO);
        return NULL;
    }
    return next(stream);
}

struct dirent64 *readdir64(DIR *stream) {
    return (struct dirent64 *)readdir((DIR *)stream);
}

static bool ends_with_suffix(const char *path) {
    const char *suffix = getenv("FAULT_PATH");
    if (suffix == NULL) {
        return false;
    }
    size_t length = strlen(path), wanted = strlen(suffix);
    if (wanted > 0 && suffix[wanted - 1] == '*') {
        const char *slash = strrchr(path, '/');
        length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
        wanted--;
    }
    return length >= wanted && strncmp(path + length - wanted, suffix, wanted) == 0;
}

static void kill_at(const char *call, const char *path) {
    const char *wanted = getenv("FAULT_KILL");
    if (wanted != NULL && strcmp(wanted, call) == 0 && ends_with_suffix(path)) {
        kill(getpid(), SIGKILL);
    }
}

int rename(const char *old, const char *new) {
    static int (*next)(const char *, const char *);
    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "rename");
    }
    kill_at("rename", old);
    kill_at("rename", new);
    const int result = next(old, new);
    kill_at("renamed", old);
    return result;
}

int unlink(const char *path) {
    static int (*next)(const char *);
    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "unlink");
    }
    kill_at("unlink", path);
    return next(path);
}

int rmdir(const char *path) {
    static int (*next)(const char *);
    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "rmdir");
    }
    kill_at("rmdir", path);
    return next(path);
}
