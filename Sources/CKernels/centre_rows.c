// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_centre_rows_body(float *x, size_t stride, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++) {
#pragma clang fp reassociate(on)
        float *values = x + row * stride;
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += values[j];
        }
        float mean = sum / (float)columns;
        for (size_t j = 0; j < columns; j++) {
            values[j] -= mean;
        }
    }
}

AMI_KERNEL(ami_centre_rows, (x, stride, rows, columns), float *x, size_t stride, size_t rows, size_t columns)
