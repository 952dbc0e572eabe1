// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef CMAPPINGS_H
#define CMAPPINGS_H

#include <stdbool.h>
#include <stddef.h>

/// Memory that the kernel fills from a file when it is touched.
typedef struct ami_mapping ami_mapping;

/// Watches a mapping that begins at a page: from now on, a page of it that the kernel cannot read
/// (the file was truncated, the disk fails) reads as zeros and marks the mapping as damaged, where
/// SIGBUS would end the process. NULL when there is no memory or no handler can be installed.
ami_mapping *ami_mapping_watch(const void *start, size_t size);

/// Whether bytes of the mapping were replaced by zeros.
bool ami_mapping_is_damaged(const ami_mapping *mapping);

/// Stops watching; to be called before the memory is unmapped.
void ami_mapping_forget(ami_mapping *mapping);

#endif
