// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// An encoder of measurements to states of an ``ActionConditionedModel``.
public protocol MeasurementEncoder: Sendable {
    /// The number of values per measurement.
    var measurementWidth: Int { get }

    /// Encodes measurements.
    ///
    /// - Parameter measured: [batch, frames, measurement width], in the units of training.
    /// - Returns: the states, [batch, frames, state width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    func states(of measured: Tensor) throws(ZooError) -> Tensor
}
