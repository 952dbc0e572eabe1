// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a user requires of releases, by registry and namespace: format `ami-zoo.policy/1`.
///
/// The first rule that is about a release decides; a release that no rule is about is refused. Every rule requires
/// that each byte is that of the manifest, whatever else it requires.
package struct TrustPolicy: Sendable, Equatable {
    /// Signatures of so many different signers.
    package struct Signatures: Sendable, Equatable {
        /// The names of signers.
        package let signers: [String]
        /// How many of them must have signed, at least.
        package let threshold: Int
    }

    /// What is required of evidence: a validation that passed.
    package struct Evidence: Sendable, Equatable {
        /// Who must have signed it; nil for anybody.
        package let signatures: Signatures?
        /// The largest age in days; nil for any.
        package let maximumAge: Int?
    }

    /// What is required of the releases that a rule is about.
    package struct Rule: Sendable, Equatable {
        /// The address of the registry; nil for all.
        package let registry: String?
        /// The namespace; nil for all.
        package let namespace: String?
        /// The model or data set; nil for all.
        package let name: ModelName?
        /// Of which kinds an anchor must be; nil for any.
        package let anchors: [ReleaseFacts.Anchor]?
        /// Who must have signed the files; nil for nobody.
        package let signatures: Signatures?
        /// Whether signed metadata of the registry must call the release current.
        package let isCurrent: Bool
        /// Whether the log of the registry must have the publication.
        package let isLogged: Bool
        /// What is required of evidence; nil for nothing.
        package let evidence: Evidence?
        /// Licences, of which the licence must permit a choice; nil for any.
        package let licences: [LicenceExpression]?
        /// The largest age of the release in days; nil for any.
        package let maximumAge: Int?
    }

    /// The signers, by the name that rules use.
    package let signers: [String: Set<ReleaseFacts.Signer>]
    /// The rules, in order.
    package let rules: [Rule]

    init(signers: [String: Set<ReleaseFacts.Signer>], rules: [Rule]) {
        self.signers = signers
        self.rules = rules
    }

    /// What holds without a policy: digests, and nothing else.
    package static let digests = TrustPolicy(
        signers: [:],
        rules: [
            Rule(
                registry: nil,
                namespace: nil,
                name: nil,
                anchors: nil,
                signatures: nil,
                isCurrent: false,
                isLogged: false,
                evidence: nil,
                licences: nil,
                maximumAge: nil
            )
        ]
    )

    /// The keys of all signers, by the SHA-256 of their PEM texts.
    package var keyHints: Set<String> {
        Set(
            signers.values.joined().compactMap { signer in
                if case .key(let hint) = signer { hint } else { nil }
            }
        )
    }
}
