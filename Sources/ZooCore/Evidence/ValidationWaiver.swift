// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Why a release was published without evidence.
public struct ValidationWaiver: Sendable, Equatable {
    /// The type of its predicate.
    public static let predicateType = "https://ami-zoo.org/evidence/unvalidated/v1"

    /// The reason.
    public let reason: String
    /// When it was given.
    public let date: Timestamp

    /// States a reason.
    ///
    /// - Parameters:
    ///   - reason: 1 to 1000 bytes without control characters.
    ///   - date: now.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    public init(reason: String, date: Timestamp) throws(ZooError) {
        self.reason = try JSONObject(["reason": .string(reason)]).string("reason", maximum: 1000)
        self.date = date
    }

    /// Reads the statement about a release.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or `evidence.other-release`.
    public init(statement: [UInt8], about digest: ContentDigest) throws(ZooError) {
        let predicate = try EvidenceStatement.predicate(
            of: statement,
            Self.predicateType,
            about: digest
        )
        reason = try predicate.string("reason", maximum: 1000)
        date = try predicate.timestamp("date")
    }

    /// The in-toto statement about a release.
    public func statement(about name: String, _ digest: ContentDigest) -> [UInt8] {
        EvidenceStatement.statement(
            about: name,
            digest,
            Self.predicateType,
            ["reason": .string(reason), "date": .string(date.text)]
        )
    }
}
