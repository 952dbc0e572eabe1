// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include <math.h>

#include "dispatch.h"

AMI_BODY ami_row_statistics_body(const float *x, size_t stride, size_t rows, size_t columns, float epsilon,
                                 float *means, float *inverses) {
    for (size_t row = 0; row < rows; row++) {
        // As in ami_layer_norm.
#pragma clang fp reassociate(on)
        const float *values = x + row * stride;
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += values[j];
        }
        float mean = sum / (float)columns;
        float squares = 0;
        for (size_t j = 0; j < columns; j++) {
            float centred = values[j] - mean;
            squares += centred * centred;
        }
        means[row] = mean;
        inverses[row] = 1.0f / sqrtf(squares / (float)columns + epsilon);
    }
}

AMI_KERNEL(ami_row_statistics, (x, stride, rows, columns, epsilon, means, inverses), const float *x, size_t stride,
           size_t rows, size_t columns, float epsilon, float *means, float *inverses)
