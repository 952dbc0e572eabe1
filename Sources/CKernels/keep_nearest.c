// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#include "CKernels.h"

size_t ami_keep_nearest(const float *similarities, const float *norms, size_t count, int64_t first, size_t wanted,
                        float *nearest, int64_t *indices, size_t found) {
    for (size_t j = 0; j < count; j++) {
        float similarity = norms[j] > 0 ? similarities[j] / norms[j] : 0;
        // A later row with an equal similarity is not nearer.
        if (found == wanted && similarity <= nearest[found - 1]) {
            continue;
        }
        size_t place = found < wanted ? found++ : found - 1;
        while (place > 0 && nearest[place - 1] < similarity) {
            nearest[place] = nearest[place - 1];
            indices[place] = indices[place - 1];
            place--;
        }
        nearest[place] = similarity;
        indices[place] = first + (int64_t)j;
    }
    return found;
}
