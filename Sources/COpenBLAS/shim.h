// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The OpenBLAS calls of this project. pkg-config finds cblas.h, whose location differs between distributions.

#include <cblas.h>

/// Eigenvalues and eigenvectors of a symmetric matrix: LAPACK as included in OpenBLAS, which has no header for it.
void ssyevr_(const char *job, const char *range, const char *triangle, const int *n, float *a, const int *lda,
             const float *vl, const float *vu, const int *il, const int *iu, const float *tolerance, int *found,
             float *w, float *z, const int *ldz, int *support, float *work, const int *lwork, int *iwork,
             const int *liwork, int *info);

/// The Cholesky factor of a symmetric positive definite matrix, in place.
void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info);

/// Solves A X = B by a Cholesky factor of A; B is overwritten by X.
void dpotrs_(const char *triangle, const int *n, const int *count, const double *a, const int *lda, double *b,
             const int *ldb, int *info);
