// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_CWEBP_H
#define AMI_ZOO_CWEBP_H

#include <webp/decode.h>
#include <webp/demux.h>

#endif
