// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// What probes learn to predict, and the loss of a prediction.
package enum ProbeTargets: Sendable {
    /// The class of each sample, from 0: cross-entropy of the softmax of the outputs.
    case classes([Int32])
    /// A number for each sample: the squared error of the only output.
    case numbers([Float])

    /// The number of samples.
    package var count: Int {
        switch self {
        case .classes(let classes): classes.count
        case .numbers(let numbers): numbers.count
        }
    }

    /// The targets of some samples.
    package subscript(samples: [Int]) -> ProbeTargets {
        switch self {
        case .classes(let classes): .classes(samples.map { classes[$0] })
        case .numbers(let numbers): .numbers(samples.map { numbers[$0] })
        }
    }

    /// Replaces outputs [samples, outputs] by the derivatives of the sum of the losses.
    ///
    /// - Returns: the sum of the losses.
    func replace(outputs: Matrix) -> Double {
        precondition(outputs.rows == count)
        switch self {
        case .classes(let classes):
            precondition(classes.allSatisfy { (0..<outputs.columns).contains(Int($0)) })
            return unsafe ami_softmax_residuals(
                outputs.writableBase,
                outputs.stride,
                outputs.rows,
                outputs.columns,
                classes
            )
        case .numbers(let numbers):
            precondition(outputs.columns == 1)
            return numbers.indices.reduce(0) { sum, sample in
                let residual = outputs[sample, 0] - numbers[sample]
                outputs[sample, 0] = 2 * residual
                return sum + Double(residual) * Double(residual)
            }
        }
    }
}
