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
        throw consent.refusal(.importLicence, of: name, licence, terms: homepage)
    }
}

extension ArchivedRecord {
    /// Checks that the user accepted the licence if consent is required.
    ///
    /// - Parameter accepted: the licences that the user accepted.
    /// - Throws: ``ZooError`` with code `release.licence-not-accepted`.
    package func requireConsent(_ accepted: Set<String>) throws(ZooError) {
        guard let consent, !accepted.contains(licence) else { return }
        throw consent.refusal(.licenceNotAccepted, of: name, licence, terms: homepage)
    }

    private var consent: CatalogueEntry.Consent? {
        // A text that is no SPDX expression names terms that only its reader can judge.
        guard let expression = try? LicenceExpression(parsing: licence) else { return .ownTerms }
        return switch expression.restriction {
        case .none: nil
        case .ownTerms: .ownTerms
        case .nonCommercial: .nonCommercial
        }
    }
}

extension CatalogueEntry.Consent {
    fileprivate func refusal(
        _ code: ZooError.Code,
        of name: ModelName,
        _ licence: String,
        terms page: String?
    ) -> ZooError {
        let terms =
            switch self {
            case .unknownLicence:
                "its licence is unknown, so no use of its weights is permitted"
            case .nonCommercial: "its licence \(licence) permits non-commercial use only"
            case .ownTerms: "its licence \(licence) has terms written by the publisher"
            }
        return ZooError(
            code,
            "'\(name)' requires your consent: \(terms)",
            remedy: "read the terms\(page.map { " at \($0)" } ?? ""); if you agree, add "
                + "--accept-licence '\(licence)'"
        )
    }
}
