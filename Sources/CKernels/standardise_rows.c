// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CKernels.h"

void ami_standardise_rows(const float *x, size_t stride, size_t rows, size_t columns, const bool *included,
                          const double *mean, const double *scale, float *output, size_t output_stride) {
    for (size_t row = 0; row < rows; row++) {
        const float *values = x + row * stride;
        float *standardised = output + row * output_stride;
        for (size_t j = 0; j < columns; j++) {
            standardised[j] = included[row] ? (float)((values[j] - mean[j]) / scale[j]) : 0.0f;
        }
    }
}
