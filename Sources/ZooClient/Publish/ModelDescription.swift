// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Reads `model.yaml`, the author's description of a model, as JSON.
package enum ModelDescription {
    /// The maximum size of a description in bytes.
    package static let limit = YAMLDocument.limit

    /// Reads a description.
    ///
    /// - Throws: ``ZooError`` with code `pack.description-invalid`.
    package static func parse(_ bytes: [UInt8], path: String) throws(ZooError) -> JSONObject {
        try YAMLDocument.object(bytes) { what in
            ZooError(
                .descriptionInvalid,
                "'\(path)' \(what)",
                remedy: "see models/ami/ball-drop/model.yaml for an example"
            )
        }
    }
}
