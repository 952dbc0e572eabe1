// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels
internal import Synchronization

/// The copies of the kernels, by the instruction set they are compiled for.
package enum KernelPath: Int, CaseIterable, Comparable, Sendable {
    /// Runs everywhere; the only copy outside x86-64.
    case portable
    /// 256-bit vectors with fused multiplication and addition.
    case avx2
    /// 512-bit vectors.
    case avx512

    /// The fastest copy that this processor can run, within the limit of ``limit(to:)``.
    package static var fastest: KernelPath {
        min(detected, KernelPath(rawValue: greatest.load(ordering: .relaxed)) ?? detected)
    }

    /// The copies that this processor can run.
    package static var runnable: [KernelPath] { allCases.filter { $0 <= detected } }

    /// Limits the whole process to copies up to `path`; nil removes the limit.
    ///
    /// Tests use it to compare the results of models for each copy. Running computations may use
    /// both copies.
    package static func limit(to path: KernelPath?) {
        greatest.store((path ?? .avx512).rawValue, ordering: .relaxed)
    }

    /// The fastest copy that this processor can run; detected once.
    private static let detected = KernelPath(rawValue: Int(ami_cpu_detect().rawValue)) ?? .portable
    private static let greatest = Atomic(KernelPath.avx512.rawValue)

    /// Orders by speed.
    package static func < (left: KernelPath, right: KernelPath) -> Bool {
        left.rawValue < right.rawValue
    }

    var cpu: ami_cpu { ami_cpu(rawValue: UInt32(rawValue)) }
}
