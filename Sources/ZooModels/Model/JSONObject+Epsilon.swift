// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension JSONObject {
    /// Returns `layer_norm_eps`, the epsilon that norms add to the variance, or `default` if it is
    /// absent.
    ///
    /// - Throws: `ZooError` with code `format.field-invalid`.
    func normEpsilon(default value: Double? = nil) throws(ZooError) -> Double {
        let name = "layer_norm_eps"
        if let value, self.value(name) == nil { return value }
        let found = try number(name)
        guard found > 0, found < 1 else {
            throw invalid(name, "is \(found), and must be between 0 and 1")
        }
        return found
    }
}
