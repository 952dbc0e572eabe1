// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// Continues the CRC-32 of ZIP (IEEE 802.3, reflected, polynomial 0xEDB88320) over `count` bytes;
/// `crc` is 0 at first. Uses carry-less multiplication where the processor has it.
uint32_t ami_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/// The same without any special instruction.
uint32_t ami_crc32_portable(uint32_t crc, const uint8_t *bytes, size_t count);

#endif
