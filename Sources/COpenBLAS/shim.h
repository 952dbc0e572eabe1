// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// The two OpenBLAS calls this project makes. pkg-config finds cblas.h, whose place differs between distributions.

#include <cblas.h>
