// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTensor

extension Tensor {
    /// Checks that a result holds no NaN or infinite values.
    ///
    /// Damaged weights and pixels in wrong units cause such values.
    ///
    /// - Throws: `ZooError` with code `model.result-not-finite`.
    package func requireFinite(_ what: String) throws(ZooError) {
        guard isFinite else {
            throw ZooError(
                .resultNotFinite,
                "the \(what) of this model hold NaN or infinite values",
                remedy: "run 'ami-zoo verify' on the model, and check the units of the input"
            )
        }
    }
}
