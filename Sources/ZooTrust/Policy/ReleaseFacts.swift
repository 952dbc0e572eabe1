// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The result of one check of a release, with "not checked" as a result of its own.
package enum Fact<Value: Sendable>: Sendable {
    /// It was checked, and holds.
    case established(Value)
    /// It was checked, and does not hold; what was found instead.
    case refuted(String)
    /// Nobody checked it; why.
    case notChecked(String)
}

/// What checks found out about a release: everything that a policy is evaluated on.
///
/// Whoever checks something fills its fact. A fact that nobody fills is not checked, and no policy takes it for one
/// that holds.
package struct ReleaseFacts: Sendable {
    /// What the digest of a manifest was compared with: `kind` of the field `anchor` of `verify`.
    package enum Anchor: String, Sendable, CaseIterable {
        case requested, tuf, registry, store, folder
    }

    /// Who made a signature.
    package enum Signer: Hashable, Sendable {
        /// The owner of a key: the SHA-256 of its PEM text, 64 hexadecimal digits.
        case key(String)
        /// The subject of a certificate, and who vouched for it.
        case certificate(identity: String, issuer: String)
    }

    /// Every byte of every file.
    package struct Integrity: Sendable {
        /// The number of files.
        package let files: Int
        /// The number of their bytes.
        package let bytes: Int

        /// Creates a count.
        package init(files: Int, bytes: Int) {
            self.files = files
            self.bytes = bytes
        }
    }

    /// A validation that passed.
    package struct Evidence: Sendable {
        /// When the release was validated.
        package let created: Timestamp
        /// How the claims stand, in words.
        package let claims: String
        /// How many other attachments about a validation cannot be read; each may be newer.
        package let unreadable: Int
        /// Who signed the evidence.
        package let signers: Fact<Set<Signer>>

        /// Creates a fact.
        package init(
            created: Timestamp,
            claims: String,
            unreadable: Int,
            signers: Fact<Set<Signer>>
        ) {
            self.created = created
            self.claims = claims
            self.unreadable = unreadable
            self.signers = signers
        }
    }

    /// The model or data set, as its record states.
    package let name: ModelName
    /// Whether every byte is that of the manifest.
    package var integrity: Fact<Integrity>
    /// The address of the registry that the release comes from.
    package var registry: Fact<String> = .notChecked("nothing says where it comes from")
    /// What the digest of the manifest was compared with, and equals.
    package var anchors: Fact<Set<Anchor>> = .notChecked("the manifest was compared with nothing")
    /// Who signed the files.
    package var signatures: Fact<Set<Signer>> = .notChecked("no signature was checked")
    /// The time at which signed metadata of the registry called the release current.
    package var currency: Fact<Timestamp> = .notChecked(
        "no signed metadata of the registry was read"
    )
    /// The log of the registry that has the publication.
    package var log: Fact<String> = .notChecked("no log was read")
    /// The validation.
    package var evidence: Fact<Evidence> = .notChecked("no evidence was read")
    /// The licence, an SPDX expression.
    package var licence: Fact<String>
    /// When the release was made, as its record states.
    package var created: Fact<Timestamp>

    /// Creates facts, of which only what the record states is known.
    ///
    /// - Parameters:
    ///   - record: the record of the release.
    ///   - integrity: whether the files and the record are those of the manifest.
    package init(_ record: any ArchivedRecord, integrity: Fact<Integrity>) {
        name = record.name
        self.integrity = integrity
        licence = .established(record.licence)
        created = .established(record.created)
    }
}
