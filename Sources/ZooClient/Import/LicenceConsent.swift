// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension CatalogueEntry {
    /// Checks that the user accepted the licence of the weights if consent is required.
    ///
    /// - Parameter accepted: the licence that the user accepted.
    /// - Throws: ``ZooError`` with code `import.licence-not-accepted`.
    package func requireConsent(_ accepted: String?) throws(ZooError) {
        let licence = licence ?? "unknown"
        guard let consent, accepted != licence else { return }
        let terms =
            switch consent {
            case .unknownLicence:
                "its licence is unknown, so no use of its weights is permitted"
            case .nonCommercial: "its licence \(licence) permits non-commercial use only"
            case .ownTerms: "its licence \(licence) has terms written by the publisher"
            }
        throw ZooError(
            .importLicence,
            "'\(name)' requires your consent: \(terms)",
            remedy: "read the terms at \(homepage); if you agree, add --accept-licence '\(licence)'"
        )
    }
}
