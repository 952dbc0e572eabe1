// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension CatalogueEntry {
    /// Checks that a user has agreed to the licence of the weights, where that is needed.
    ///
    /// - Parameter accepted: the licence that the user names.
    /// - Throws: ``ZooError`` with code `import.licence-not-accepted`.
    package func requireConsent(_ accepted: String?) throws(ZooError) {
        let licence = licence ?? "unknown"
        guard let consent, accepted != licence else { return }
        let terms =
            switch consent {
            case .unknownLicence:
                "its licence is not known, so nothing permits the use of its weights"
            case .nonCommercial: "its licence \(licence) permits non-commercial use only"
            case .ownTerms: "its licence \(licence) has terms of the publisher's own"
            }
        throw ZooError(
            .importLicence,
            "'\(name)' is fetched only with your consent: \(terms)",
            remedy: "read the terms at \(homepage); if you agree, add --accept-licence '\(licence)'"
        )
    }
}
