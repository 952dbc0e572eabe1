// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// Encodes measurements of a body to states, for an ``ActionConditionedModel`` whose states are not the
/// measurements themselves.
public protocol MeasurementEncoder: Sendable {
    /// Numbers of a measurement.
    var measurementWidth: Int { get }

    /// Encodes measurements.
    ///
    /// - Parameter measured: [batch, frames, measurement width], in the units of training.
    /// - Returns: [batch, frames, state width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    func states(of measured: Tensor) throws(ZooError) -> Tensor
}
