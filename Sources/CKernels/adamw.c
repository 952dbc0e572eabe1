// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "dispatch.h"

AMI_BODY ami_adamw_body(float *parameters, float *gradient, float *first, float *second, size_t count,
                        const struct ami_adamw_step *step) {
    struct ami_adamw_step s = *step;
    for (size_t i = 0; i < count; i++) {
        float own = gradient[i] * s.gradient_scale;
        float mean = first[i] + (own - first[i]) * s.first_share;
        float square = second[i] * (1.0f - s.second_share) + own * own * s.second_share;
        float kept = parameters[i] * s.kept;
        // Unlike sqrtf it has no errno, which would prevent vectors.
        float root = __builtin_elementwise_sqrt(square) * s.root_scale + s.epsilon;
        parameters[i] = kept - s.rate * mean / root;
        first[i] = mean;
        second[i] = square;
        gradient[i] = 0;
    }
}

AMI_KERNEL(ami_adamw, (parameters, gradient, first, second, count, step), float *parameters, float *gradient,
           float *first, float *second, size_t count, const struct ami_adamw_step *step)
