// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CFiles.h"

#include <fcntl.h>

void ami_start_writeback(int descriptor, long long offset, long long size) {
#ifdef __linux__
    (void)sync_file_range(descriptor, offset, size, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)size;
#endif
}
