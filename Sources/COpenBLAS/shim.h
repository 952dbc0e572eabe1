// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The OpenBLAS calls this project makes. pkg-config finds cblas.h, whose place differs between distributions.

#include <cblas.h>

/// Eigenvalues and eigenvectors of a symmetric matrix: LAPACK, as OpenBLAS carries it, without its own header.
void ssyevr_(const char *job, const char *range, const char *triangle, const int *n, float *a, const int *lda,
             const float *vl, const float *vu, const int *il, const int *iu, const float *tolerance, int *found,
             float *w, float *z, const int *ldz, int *support, float *work, const int *lwork, int *iwork,
             const int *liwork, int *info);
