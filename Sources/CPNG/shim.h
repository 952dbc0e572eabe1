// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_CPNG_H
#define AMI_ZOO_CPNG_H

#include <png.h>

#endif
