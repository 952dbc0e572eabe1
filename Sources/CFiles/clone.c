// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CFiles.h"

#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

bool ami_clone_range(int target, long long target_offset, int source, long long source_offset,
                     long long size) {
#ifdef __linux__
    struct file_clone_range range = {
        .src_fd = source,
        .src_offset = (unsigned long long)source_offset,
        .src_length = (unsigned long long)size,
        .dest_offset = (unsigned long long)target_offset,
    };
    return ioctl(target, FICLONERANGE, &range) == 0;
#else
    (void)target, (void)target_offset, (void)source, (void)source_offset, (void)size;
    return false;
#endif
}
