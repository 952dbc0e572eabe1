// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The statistics of one row, which a layer normalisation and its gradient share.

#ifndef AMI_ZOO_LAYER_NORM_H
#define AMI_ZOO_LAYER_NORM_H

#include <math.h>
#include <stddef.h>

struct ami_row_moments {
    float mean;
    /// 1 / sqrt(variance + epsilon), with the biased variance.
    float inverse;
};

static inline __attribute__((always_inline)) struct ami_row_moments
ami_row_moments(const float *row, size_t columns, float epsilon) {
    // Sums may be reordered: many partial sums are both faster and more accurate than one sum.
#pragma clang fp reassociate(on)
    float sum = 0;
    for (size_t j = 0; j < columns; j++) {
        sum += row[j];
    }
    float mean = sum / (float)columns;
    float squares = 0;
    for (size_t j = 0; j < columns; j++) {
        float centred = row[j] - mean;
        squares += centred * centred;
    }
    return (struct ami_row_moments){mean, 1.0f / sqrtf(squares / (float)columns + epsilon)};
}

#endif
