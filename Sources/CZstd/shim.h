// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_CZSTD_H
#define AMI_ZOO_CZSTD_H

#include <zstd.h>

#endif
