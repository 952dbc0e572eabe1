// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CKernels.h"

void ami_column_sums(const float *x, size_t stride, size_t rows, size_t columns, const bool *included,
                     const double *centre, double *sums) {
    for (size_t row = 0; row < rows; row++) {
        if (!included[row]) {
            continue;
        }
        const float *values = x + row * stride;
        if (centre == NULL) {
            for (size_t j = 0; j < columns; j++) {
                sums[j] += values[j];
            }
        } else {
            for (size_t j = 0; j < columns; j++) {
                double difference = values[j] - centre[j];
                sums[j] += difference * difference;
            }
        }
    }
}
