// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

extension Tensor {
    /// Checks that a model has computed numbers: damaged weights, or pixels in wrong units, make
    /// results that say nothing.
    ///
    /// - Throws: `ZooError` with code `model.result-not-finite`.
    func requireFinite(_ what: String) throws(ZooError) {
        // x − x is 0 for every number and not a number for all else, in a sum too.
        let sum = withValues { values in
            var sum: Float = 0
            for index in values.indices { sum += values[index] - values[index] }
            return sum
        }
        guard sum == 0 else {
            throw ZooError(
                .resultNotFinite,
                "\(what) of this model are not finite numbers",
                remedy: "verify the model's weights, and check the units of the input"
            )
        }
    }
}
