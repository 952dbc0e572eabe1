// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <string.h>

#include "dispatch.h"

AMI_BODY ami_widen_bf16_body(const void *input, float *output, size_t count) {
    const unsigned char *from = input;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        memcpy(output + i, &bits, sizeof bits);
    }
}

AMI_KERNEL(ami_widen_bf16, (input, output, count), const void *input, float *output, size_t count)
