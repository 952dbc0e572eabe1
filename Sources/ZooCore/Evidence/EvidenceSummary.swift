// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How many claims a release states, and how they stand.
public struct ClaimCounts: Sendable, Equatable {
    /// All claims.
    public let stated: Int
    /// Claims that were measured again and reproduced, or exceeded.
    public let reproduced: Int
    /// Claims of another lab that nothing measured again.
    public let upstream: Int
    /// Claims on data that only users hold, and that whoever validated did not give; 0 in documents, whose evidence has
    /// none.
    let withoutData: Int

    /// Counts comparisons of claims with measurements.
    public init(_ claims: [ClaimComparison]) {
        stated = claims.count
        reproduced = claims.count { $0.outcome == .reproduced || $0.outcome == .better }
        upstream = claims.count { $0.outcome == .upstream }
        withoutData = claims.count { $0.outcome == .dataNotGiven }
    }

    init(_ object: JSONObject) throws(ZooError) {
        stated = try object.integer("stated", in: 0...100_000)
        reproduced = try object.integer("reproduced", in: 0...stated)
        upstream = try object.integer("upstream", in: 0...(stated - reproduced))
        withoutData = 0
    }

    /// The fields in documents.
    public var json: JSONValue {
        [
            "stated": .integer(stated), "reproduced": .integer(reproduced),
            "upstream": .integer(upstream),
        ]
    }

    /// The counts of a validation in words.
    public var text: String {
        guard stated > 0 else { return "no claims" }
        return "reproduced \(reproduced) of \(claims)"
            + (upstream > 0 ? ", \(upstream) claimed upstream and not measured again" : "")
            + (withoutData > 0 ? ", \(withoutData) not measured: data not given" : "")
    }

    /// The claims in words where no validation decides: nothing was tried, so that nothing failed to reproduce.
    public var unmeasuredText: String {
        guard stated > 0 else { return "no claims" }
        return "\(claims), not measured again"
            + (upstream > 0 ? ", \(upstream) of them of another lab" : "")
    }

    private var claims: String { stated == 1 ? "1 claim" : "\(stated) claims" }
}

/// What a registry says about the validation of a version, in an index document and in the catalogue.
///
/// It is derived from the attachments, which are the authority: `show` reads those.
public struct EvidenceSummary: Sendable, Equatable {
    /// The state of a version.
    public enum State: String, Sendable, CaseIterable {
        /// Evidence that it was validated and passed is attached.
        case validated
        /// What is attached does not hold.
        case failed
        /// It was published without a validation.
        case unvalidated
        /// A validation is attached, and nobody read it: what it says is unknown.
        case unread
    }

    /// The state.
    public let state: State
    /// Why it was not validated, or what does not hold; nil when nothing states it.
    public let reason: String?
    /// How the claims stand; nil when nothing states it.
    public let claims: ClaimCounts?
    /// How many other attachments about a validation cannot be read; each may be newer than what decides.
    public let unreadable: Int

    /// Creates a summary.
    public init(
        _ state: State,
        reason: String? = nil,
        claims: ClaimCounts? = nil,
        unreadable: Int = 0
    ) {
        self.state = state
        self.reason = reason.map(Self.line)
        self.claims = claims
        self.unreadable = unreadable
    }

    /// Summarises what is attached to a release; nil for nothing.
    public init?(of evidence: AttachedEvidence, _ record: ReleaseRecord) {
        let (state, reason): (State, String?)
        switch evidence.decision {
        case .validated: (state, reason) = (.validated, nil)
        case .failed(_, let error), .invalid(let error): (state, reason) = (.failed, error.message)
        case .unvalidated(let waiver): (state, reason) = (.unvalidated, waiver.reason)
        case .absent: return nil
        }
        self.init(
            state,
            reason: reason,
            claims: ClaimCounts(evidence.claims(of: record)),
            unreadable: evidence.unreadable.count
        )
    }

    /// What the types of attachments alone say, for index documents of programs that write no summary; nil for
    /// nothing.
    ///
    /// A type proves no validation.
    public init?(ofTypes attachments: [IndexDocument.Attachment]) {
        let types = attachments.map(\.type)
        if types.contains(AttachmentDraft.validation) {
            self.init(.unread)
        } else if types.contains(AttachmentDraft.waiver) {
            self.init(.unvalidated)
        } else {
            return nil
        }
    }

    /// Reads the fields of an index document; nil for a state that a later program defines.
    init?(_ object: JSONObject) throws(ZooError) {
        guard let state = State(rawValue: try object.string("state")) else { return nil }
        self.init(
            state,
            reason: try object.optionalString("reason", maximum: Self.limit),
            claims: try object.optionalObject("claims").map(ClaimCounts.init),
            unreadable: try object.optionalInteger("unreadable", in: 0...Self.mostUnreadable) ?? 0
        )
    }

    /// The fields in an index document.
    var json: JSONValue {
        var members: [String: JSONValue] = ["state": .string(state.rawValue)]
        if let reason { members["reason"] = .string(reason) }
        if let claims { members["claims"] = claims.json }
        if unreadable > 0 { members["unreadable"] = .integer(unreadable) }
        return .object(members)
    }

    /// The largest size of a reason, in bytes.
    static let limit = 1000
    /// The largest number of attachments that cannot be read.
    static let mostUnreadable = AttachmentLimits.attachments

    /// A message as a text of a document: one line without control characters, within the limit.
    private static func line(_ message: String) -> String {
        var text = ""
        var size = 0
        for scalar in message.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            let next = isControl ? " " : scalar
            size += UTF8.width(next)
            guard size <= limit else { break }
            text.unicodeScalars.append(next)
        }
        return text
    }
}
