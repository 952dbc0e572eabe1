// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

// Compiles one kernel body for several instruction sets. The body is an always-inlined plain loop;
// AMI_KERNEL wraps it once per instruction set and defines the public function that selects a copy. The
// compiler vectorises each copy for its own width, so there is one source and there are no intrinsics.

#ifndef AMI_DISPATCH_H
#define AMI_DISPATCH_H

#include "CKernels.h"

#define AMI_BODY static inline __attribute__((always_inline)) void

#if defined(__x86_64__)
#define AMI_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define AMI_TARGET_AVX512                                                                              \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))

/// AMI_KERNEL(name, (arguments), parameters...) defines name(cpu, parameters...) over name_body.
#define AMI_KERNEL(name, arguments, ...)                                                               \
    AMI_TARGET_AVX512 static void name##_avx512(__VA_ARGS__) { name##_body arguments; }                \
    AMI_TARGET_AVX2 static void name##_avx2(__VA_ARGS__) { name##_body arguments; }                    \
    static void name##_portable(__VA_ARGS__) { name##_body arguments; }                                \
    void name(enum ami_cpu cpu, __VA_ARGS__) {                                                         \
        switch (cpu) {                                                                                 \
            case ami_cpu_avx512: name##_avx512 arguments; break;                                       \
            case ami_cpu_avx2: name##_avx2 arguments; break;                                           \
            case ami_cpu_portable: name##_portable arguments; break;                                   \
        }                                                                                              \
    }
#else
#define AMI_KERNEL(name, arguments, ...)                                                               \
    void name(enum ami_cpu cpu, __VA_ARGS__) {                                                         \
        (void)cpu;                                                                                     \
        name##_body arguments;                                                                         \
    }
#endif

#endif
