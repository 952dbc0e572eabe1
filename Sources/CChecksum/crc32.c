// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CChecksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// Row k holds the CRCs of each byte value followed by k zero bytes.
static uint32_t tables[8][256];

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
        }
        tables[0][i] = crc;
    }
    for (int row = 1; row < 8; row++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t before = tables[row - 1][i];
            tables[row][i] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
}

/// Processes eight bytes per step, each with its own table ("slicing by 8").
static uint32_t portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    while (count >= 8) {
        crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
               (uint32_t)bytes[3] << 24;
        crc = tables[7][crc & 0xFF] ^ tables[6][crc >> 8 & 0xFF] ^ tables[5][crc >> 16 & 0xFF] ^
              tables[4][crc >> 24] ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^
              tables[1][bytes[6]] ^ tables[0][bytes[7]];
        bytes += 8;
        count -= 8;
    }
    while (count-- > 0) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *bytes++) & 0xFF];
    }
    return crc;
}

uint32_t ami_crc32_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    return ~portable(~crc, bytes, count);
}

#if defined(__x86_64__)
/// Folds 64 bytes per step with carry-less multiplication. `count` is a multiple of 16, at least
/// 64.
///
/// Source of the method and of the constants (powers of x modulo the polynomial): V. Gopal et al.,
/// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, for the
/// reflected polynomial.
__attribute__((target("pclmul,sse4.1"))) static uint32_t folding(uint32_t crc, const uint8_t *bytes,
                                                                 size_t count) {
    const __m128i fold_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
    const __m128i fold_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
    const __m128i fold_8 = _mm_set_epi64x(0, 0x0163cd6124);
    const __m128i reduction = _mm_set_epi64x(0x01f7011641, 0x01db710641);
    const __m128i low_word = _mm_setr_epi32(~0, 0, ~0, 0);
    __m128i sums[4];
    for (int i = 0; i < 4; i++) {
        sums[i] = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
    }
    sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128((int)crc));
    bytes += 64;
    count -= 64;
    while (count >= 64) {
        for (int i = 0; i < 4; i++) {
            __m128i low = _mm_clmulepi64_si128(sums[i], fold_64, 0x00);
            __m128i high = _mm_clmulepi64_si128(sums[i], fold_64, 0x11);
            __m128i next = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
            sums[i] = _mm_xor_si128(_mm_xor_si128(low, high), next);
        }
        bytes += 64;
        count -= 64;
    }
    __m128i sum = sums[0];
    for (int i = 1; i < 4; i++) {
        __m128i low = _mm_clmulepi64_si128(sum, fold_16, 0x00);
        __m128i high = _mm_clmulepi64_si128(sum, fold_16, 0x11);
        sum = _mm_xor_si128(_mm_xor_si128(low, high), sums[i]);
    }
    while (count >= 16) {
        __m128i low = _mm_clmulepi64_si128(sum, fold_16, 0x00);
        __m128i high = _mm_clmulepi64_si128(sum, fold_16, 0x11);
        __m128i next = _mm_loadu_si128((const __m128i *)bytes);
        sum = _mm_xor_si128(_mm_xor_si128(low, high), next);
        bytes += 16;
        count -= 16;
    }
    // 128 bits to 64, then to 32 (Barrett reduction).
    __m128i part = _mm_clmulepi64_si128(sum, fold_16, 0x10);
    sum = _mm_xor_si128(_mm_srli_si128(sum, 8), part);
    part = _mm_srli_si128(sum, 4);
    sum = _mm_clmulepi64_si128(_mm_and_si128(sum, low_word), fold_8, 0x00);
    sum = _mm_xor_si128(sum, part);
    part = sum;
    sum = _mm_clmulepi64_si128(_mm_and_si128(sum, low_word), reduction, 0x10);
    sum = _mm_clmulepi64_si128(_mm_and_si128(sum, low_word), reduction, 0x00);
    sum = _mm_xor_si128(sum, part);
    return (uint32_t)_mm_extract_epi32(sum, 1);
}
#endif

uint32_t ami_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    crc = ~crc;
#if defined(__x86_64__)
    if (count >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
        size_t whole = count & ~(size_t)15;
        crc = folding(crc, bytes, whole);
        bytes += whole;
        count -= whole;
    }
#endif
    return ~portable(crc, bytes, count);
}
