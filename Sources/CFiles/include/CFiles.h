// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef CFILES_H
#define CFILES_H

#include <stdbool.h>
#include <stddef.h>

/// Memory that the kernel fills from a file on first access.
typedef struct ami_mapping ami_mapping;

/// Watches a page-aligned mapping: from now on, a page that the kernel cannot read (the file was
/// truncated, the disk fails) reads as zeros and marks the mapping as damaged, instead of ending
/// the process with SIGBUS. Returns NULL if memory runs out or the handler cannot be installed.
ami_mapping *ami_mapping_watch(const void *start, size_t size);

/// Whether bytes of the mapping were replaced by zeros.
bool ami_mapping_is_damaged(const ami_mapping *mapping);

/// Stops watching; call it before the memory is unmapped.
void ami_mapping_forget(ami_mapping *mapping);

/// Makes a range of a file share the disk blocks of a range of another; false where the file system
/// cannot. Offsets and size must be multiples of its block size.
bool ami_clone_range(int target, long long target_offset, int source, long long source_offset,
                     long long size);

/// Has the kernel start writing a range of a file to the disk, without waiting for it. Does nothing where
/// the system or the file system cannot.
void ami_start_writeback(int descriptor, long long offset, long long size);

#endif
