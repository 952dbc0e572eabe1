// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// A library for LD_PRELOAD that counts the system calls that change files below one folder, in the order
// in which all threads of the process make them, and injects a fault at one of them. strace counts the
// calls of each thread separately, so it cannot name one call of a process with threads.
//
// CALLS_BELOW   the folder; calls on other files are neither counted nor disturbed
// CALLS_LOG     a file to which each counted call appends a line: the call and its path
// CALLS_ONLY    the calls that are counted, such as ",write,fsync,"; default: all
// CALLS_ALSO    calls, in the same form, that are logged and neither counted nor disturbed
// CALLS_AT      the number of the call to disturb, from 1 on; default: none
// CALLS_ERRNO   what this call and all later ones fail with; default: the process is killed before the call
// CALLS_ONCE    set when only this call fails
// CALLS_UNTIL   a file whose existence ends the failures

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static void record(const char *call, const char *path) {
    const char *log = getenv("CALLS_LOG");
    char line[PATH_MAX + 64];
    if (log == NULL) {
        return;
    }
    const int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    const long file = syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    syscall(SYS_write, file, line, length);
    syscall(SYS_close, file);
}

// Returns 0 for a call to be made, or what it fails with.
static int fault(const char *call, const char *path) {
    static atomic_long calls;
    const char *below = getenv("CALLS_BELOW"), *only = getenv("CALLS_ONLY");
    const char *at = getenv("CALLS_AT"), *error = getenv("CALLS_ERRNO"), *until = getenv("CALLS_UNTIL");
    char name[32];
    snprintf(name, sizeof name, ",%s,", call);
    if (below == NULL || strncmp(path, below, strlen(below)) != 0) {
        return 0;
    }
    if (only != NULL && strstr(only, name) == NULL) {
        const char *also = getenv("CALLS_ALSO");
        if (also != NULL && strstr(also, name) != NULL) {
            record(call, path);
        }
        return 0;
    }
    const long number = atomic_fetch_add(&calls, 1) + 1;
    record(call, path);
    if (at == NULL || number < atol(at) || (number > atol(at) && (error == NULL || getenv("CALLS_ONCE")))) {
        return 0;
    }
    if (error == NULL) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return until != NULL && access(until, F_OK) == 0 ? 0 : atoi(error);
}

static int descriptor_fault(const char *call, int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) {
        return 0;
    }
    path[length] = 0;
    return fault(call, path);
}

#define NEXT(name)                              \
    static __typeof__(name) *next;              \
    if (next == NULL) {                         \
        next = dlsym(RTLD_NEXT, #name);         \
    }
#define FAIL(found, result)                     \
    const int error = found;                    \
    if (error != 0) {                           \
        errno = error;                          \
        return result;                          \
    }

// Functions with a descriptor as their first argument.
#define DESCRIPTOR(type, name, call, parameters, arguments) \
    type name parameters {                                  \
        NEXT(name)                                          \
        FAIL(descriptor_fault(call, descriptor), -1)        \
        return next arguments;                              \
    }
// Functions with the path of what they change.
#define PATH(name, call, parameters, arguments)             \
    int name parameters {                                   \
        NEXT(name)                                          \
        FAIL(fault(call, path), -1)                         \
        return next arguments;                              \
    }

DESCRIPTOR(ssize_t, write, "write", (int descriptor, const void *bytes, size_t count), (descriptor, bytes, count))
DESCRIPTOR(ssize_t, pwrite, "write", (int descriptor, const void *bytes, size_t count, off_t at), (descriptor, bytes, count, at))
DESCRIPTOR(ssize_t, pwrite64, "write", (int descriptor, const void *bytes, size_t count, off64_t at), (descriptor, bytes, count, at))
DESCRIPTOR(ssize_t, writev, "write", (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count))
DESCRIPTOR(ssize_t, pwritev, "write", (int descriptor, const struct iovec *parts, int count, off_t at), (descriptor, parts, count, at))
DESCRIPTOR(int, fsync, "fsync", (int descriptor), (descriptor))
DESCRIPTOR(int, fdatasync, "fsync", (int descriptor), (descriptor))
DESCRIPTOR(int, ftruncate, "truncate", (int descriptor, off_t size), (descriptor, size))
DESCRIPTOR(int, ftruncate64, "truncate", (int descriptor, off64_t size), (descriptor, size))
DESCRIPTOR(int, fallocate, "truncate", (int descriptor, int mode, off_t at, off_t size), (descriptor, mode, at, size))
DESCRIPTOR(int, fallocate64, "truncate", (int descriptor, int mode, off64_t at, off64_t size), (descriptor, mode, at, size))
DESCRIPTOR(int, fchmod, "chmod", (int descriptor, mode_t mode), (descriptor, mode))
DESCRIPTOR(int, futimens, "utimens", (int descriptor, const struct timespec times[2]), (descriptor, times))

PATH(unlink, "unlink", (const char *path), (path))
PATH(unlinkat, "unlink", (int folder, const char *path, int flags), (folder, path, flags))
PATH(remove, "unlink", (const char *path), (path))
PATH(rmdir, "rmdir", (const char *path), (path))
PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode))
PATH(mkdirat, "mkdir", (int folder, const char *path, mode_t mode), (folder, path, mode))
PATH(rename, "rename", (const char *old, const char *path), (old, path))
PATH(renameat, "rename", (int from, const char *old, int to, const char *path), (from, old, to, path))
PATH(renameat2, "rename", (int from, const char *old, int to, const char *path, unsigned flags), (from, old, to, path, flags))
PATH(link, "link", (const char *old, const char *path), (old, path))
PATH(linkat, "link", (int from, const char *old, int to, const char *path, int flags), (from, old, to, path, flags))
PATH(symlink, "link", (const char *old, const char *path), (old, path))
PATH(chmod, "chmod", (const char *path, mode_t mode), (path, mode))
PATH(fchmodat, "chmod", (int folder, const char *path, mode_t mode, int flags), (folder, path, mode, flags))

ssize_t copy_file_range(int from, off64_t *at, int descriptor, off64_t *to, size_t count, unsigned flags) {
    NEXT(copy_file_range)
    FAIL(descriptor_fault("write", descriptor), -1)
    return next(from, at, descriptor, to, count, flags);
}

// Opening changes files when it creates one or empties one.
#define OPEN(name, parameters, arguments)                                          \
    int name parameters {                                                          \
        NEXT(name)                                                                 \
        va_list list;                                                              \
        va_start(list, flags);                                                     \
        const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0; \
        va_end(list);                                                              \
        if (flags & (O_CREAT | O_TRUNC)) {                                         \
            FAIL(fault("open", path), -1)                                          \
        }                                                                          \
        return next arguments;                                                     \
    }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
