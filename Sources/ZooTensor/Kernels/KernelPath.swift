// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The copies of the kernels, by the instruction set they are compiled for.
package enum KernelPath: Int, CaseIterable, Comparable, Sendable {
    /// Runs everywhere; the only copy outside x86-64.
    case portable
    /// 256-bit vectors with fused multiplication and addition.
    case avx2
    /// 512-bit vectors.
    case avx512

    /// The fastest copy this processor can run; asked once.
    package static let fastest: KernelPath = {
        let detected = Int(ami_cpu_detect().rawValue)
        return KernelPath(rawValue: detected) ?? .portable
    }()

    /// The copies this processor can run.
    package static var runnable: [KernelPath] { allCases.filter { $0 <= fastest } }

    /// Orders by speed.
    package static func < (left: KernelPath, right: KernelPath) -> Bool {
        left.rawValue < right.rawValue
    }

    var cpu: ami_cpu { ami_cpu(rawValue: UInt32(rawValue)) }
}
