// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The normal distribution, for GELU and its derivative.

#ifndef AMI_NORMAL_TAIL_H
#define AMI_NORMAL_TAIL_H

#include "vector_math.h"

/// The probability that a standard normal variable exceeds |x|, to a few units in the last place. Stores exp(-x^2 / 2)
/// to `bell`. |x| above 14 counts as 14.
///
/// It is exp(-u^2 / 2) t P(t) with u = |x| and t = 1 / (1 + 0.3 u); P is a minimax fit with relative error 3.4e-9 on
/// 0 <= u <= 13.5. Unlike 1 - erf this keeps its relative accuracy in the tail, where gelu is tiny but not zero.
static inline __attribute__((always_inline)) float ami_normal_tail(float x, float *bell) {
    float u = x < 0 ? -x : x;
    u = u > 14.0f ? 14.0f : u;
    float t = 1.0f / (1.0f + 0.3f * u);
    float p = -0x1.516c6ap-6f;
    p = p * t + 0x1.cbdf7cp-4f;
    p = p * t + -0x1.d29232p-3f;
    p = p * t + 0x1.87a600p-3f;
    p = p * t + -0x1.435c3ap-4f;
    p = p * t + 0x1.88c19ep-4f;
    p = p * t + 0x1.417c0cp-4f;
    p = p * t + 0x1.c36f10p-4f;
    p = p * t + 0x1.e9c714p-4f;
    p = p * t + 0x1.ea3c6ep-4f;
    // u^2 is split in two, because exp turns its rounding error into a relative error that is up to 80 times
    // larger. The head of u has 12 bits, so that its square is exact.
    float head = ami_float(ami_bits(u) & 0xfffff000u);
    float high = -0.5f * (head * head);
    float low = -0.5f * ((u - head) * (u + head));
    *bell = ami_exp_nonpositive(high, low);
    return *bell * (t * p);
}

#endif
