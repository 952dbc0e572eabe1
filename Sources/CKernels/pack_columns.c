// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <string.h>

#include "CKernels.h"

void ami_pack_columns(const float *input, size_t stride, size_t columns, size_t depth,
                      size_t panel_width, float *output) {
    for (size_t first = 0; first < columns; first += panel_width) {
        size_t present = columns - first < panel_width ? columns - first : panel_width;
        float *panel = output + first * depth;
        if (present < panel_width) {
            memset(panel, 0, panel_width * depth * sizeof(float));
        }
        for (size_t p = 0; p < depth; p++) {
            memcpy(panel + p * panel_width, input + p * stride + first, present * sizeof(float));
        }
    }
}
