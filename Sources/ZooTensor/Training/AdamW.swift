// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels
internal import Foundation

/// One step of Adam with decoupled weight decay, as `AdamW` of PyTorch with its default betas and epsilon.
///
/// Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
package struct AdamW: Sendable {
    /// The decay of the mean of the gradient and of its square.
    private static let betas = (0.9, 0.999)
    private static let epsilon: Float = 1e-8

    private let constants: ami_adamw_step

    /// Describes a step.
    ///
    /// - Parameters:
    ///   - number: which step, from 1.
    ///   - learningRate: the learning rate.
    ///   - weightDecay: what of the parameters is subtracted, times the learning rate.
    ///   - scale: what the gradients are multiplied with, such as 1 over the samples that they are summed over.
    package init(number: Int, learningRate: Double, weightDecay: Double, scale: Double) {
        constants = ami_adamw_step(
            gradient_scale: Float(scale),
            first_share: Float(1 - Self.betas.0),
            second_share: Float(1 - Self.betas.1),
            kept: Float(1 - learningRate * weightDecay),
            rate: Float(learningRate / (1 - pow(Self.betas.0, Double(number)))),
            root_scale: Float(1 / (1 - pow(Self.betas.1, Double(number))).squareRoot()),
            epsilon: Self.epsilon
        )
    }

    /// Changes parameters, and sets their gradient to 0.
    ///
    /// All matrices are [1, elements].
    ///
    /// - Parameters:
    ///   - parameters: what is changed.
    ///   - gradient: the derivatives of the loss.
    ///   - first: the mean of the gradient, 0 before the first step.
    ///   - second: the mean of its square, 0 before the first step.
    ///   - path: the copy of the kernel to run.
    package func apply(
        to parameters: Matrix,
        gradient: Matrix,
        first: Matrix,
        second: Matrix,
        path: KernelPath = .fastest
    ) {
        precondition(parameters.rows == 1)
        for row in [gradient, first, second] { parameters.requireSizes(of: row) }
        var constants = constants
        unsafe ami_adamw(
            path.cpu,
            parameters.writableBase,
            gradient.writableBase,
            first.writableBase,
            second.writableBase,
            parameters.columns,
            &constants
        )
    }
}
