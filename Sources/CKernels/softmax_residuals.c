// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CKernels.h"
#include <math.h>

double ami_softmax_residuals(float *scores, size_t stride, size_t rows, size_t columns, const int32_t *classes) {
    double loss = 0;
    for (size_t row = 0; row < rows; row++) {
        float *values = scores + row * stride;
        if (classes[row] < 0) {
            for (size_t j = 0; j < columns; j++) {
                values[j] = 0;
            }
            continue;
        }
        float largest = values[0];
        for (size_t j = 1; j < columns; j++) {
            largest = values[j] > largest ? values[j] : largest;
        }
        double own = (double)values[classes[row]] - largest;
        double sum = 0;
        for (size_t j = 0; j < columns; j++) {
            sum += exp((double)values[j] - largest);
        }
        for (size_t j = 0; j < columns; j++) {
            double probability = exp((double)values[j] - largest) / sum;
            values[j] = (float)(probability - ((size_t)classes[row] == j ? 1 : 0));
        }
        loss += log(sum) - own;
    }
    return loss;
}
