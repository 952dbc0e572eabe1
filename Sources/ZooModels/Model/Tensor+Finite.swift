// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTensor

extension Tensor {
    /// Checks that a model has computed numbers: damaged weights, or pixels in wrong units, make
    /// results that say nothing.
    ///
    /// - Throws: `ZooError` with code `model.result-not-finite`.
    package func requireFinite(_ what: String) throws(ZooError) {
        guard isFinite else {
            throw ZooError(
                .resultNotFinite,
                "\(what) of this model are not finite numbers",
                remedy: "verify the model's weights, and check the units of the input"
            )
        }
    }
}
