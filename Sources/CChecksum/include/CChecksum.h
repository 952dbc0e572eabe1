// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Updates the CRC-32 of ZIP (IEEE 802.3, reflected, polynomial 0xEDB88320) with `count` bytes;
/// the initial `crc` is 0. Uses carry-less multiplication if the processor supports it.
uint32_t ami_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/// The portable version of ami_crc32, without carry-less multiplication.
uint32_t ami_crc32_portable(uint32_t crc, const uint8_t *bytes, size_t count);

#endif
