// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#ifndef AMI_ZOO_CJPEG_H
#define AMI_ZOO_CJPEG_H

// jpeglib.h uses FILE and size_t without declaring them.
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#endif
