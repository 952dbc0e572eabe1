// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a validation of a release found: format `ami-zoo.validation/1`, `registry/SPEC.md` section 14.
public struct ValidationReport: Sendable, Equatable {
    /// The name of the document format.
    public static let format = "ami-zoo.validation/1"
    /// The media type.
    public static let mediaType = "application/vnd.ami.zoo.validation.v1+json"
    /// The largest size of a report, in bytes.
    public static let limit = 8 << 20

    /// One check.
    public struct Check: Sendable, Equatable {
        /// What is checked.
        public enum Name: String, Sendable, CaseIterable {
            /// Every byte of every file.
            case integrity
            /// What a release must state besides what the format requires.
            case rules
            /// The outputs of the reference implementation, by the suite `golden`.
            case parity
            /// Every suite of the release runs.
            case suites
            /// Every claim against its measurement.
            case claims
            /// The claims of the version before against this one's measurements.
            case regression
        }

        /// The outcome of a check.
        public enum Result: String, Sendable, CaseIterable { case passed, failed, skipped }

        /// What is checked.
        public let name: Name
        /// The outcome.
        public let result: Result
        /// What was looked at, in a sentence.
        public let summary: String
        /// What was found.
        public let findings: [Finding]

        /// A check that failed if one of its findings is an error.
        public init(_ name: Name, _ summary: String, _ findings: [Finding] = []) {
            self.name = name
            self.summary = summary
            self.findings = findings
            result = findings.contains { $0.severity == .error } ? .failed : .passed
        }

        /// A check that there was nothing to do for.
        public init(skipped name: Name, _ why: String) {
            self.name = name
            summary = why
            findings = []
            result = .skipped
        }
    }

    /// The release.
    public let name: ModelName
    /// Its version.
    public let version: SemanticVersion
    /// The digest of its manifest.
    public let digest: ContentDigest
    /// When it was validated.
    public let created: Timestamp
    /// The version of the program.
    public let program: String
    /// The machine: `processor`, `threads`, `system`, `kernels`, `precision`.
    public let machine: JSONValue
    /// The checks, in order.
    public let checks: [Check]
    /// The reports of the suites, `ami-zoo.evaluation/1`.
    public let evaluations: [JSONValue]
    /// Every claim of the record, in order.
    public let claims: [ClaimComparison]

    /// Assembles a report.
    public init(
        of record: ReleaseRecord,
        _ digest: ContentDigest,
        created: Timestamp,
        program: String,
        machine: JSONValue,
        checks: [Check],
        evaluations: [JSONValue],
        claims: [ClaimComparison]
    ) {
        name = record.name
        version = record.version
        self.digest = digest
        self.created = created
        self.program = program
        self.machine = machine
        self.checks = checks
        self.evaluations = evaluations
        self.claims = claims
    }

    /// Whether every check passed, or had nothing to do.
    public var passed: Bool { checks.allSatisfy { $0.result != .failed } }

    /// Claims that were measured again and reproduced, or exceeded.
    public var reproduced: Int { ClaimCounts(claims).reproduced }

    /// The document.
    public var json: JSONValue {
        [
            "format": .string(Self.format),
            "model": [
                "name": .string(name.description), "version": .string(version.description),
                "digest": .string(digest.description),
            ],
            "created": .string(created.text),
            "program": ["name": "ami-zoo", "version": .string(program)],
            "machine": machine,
            "result": .string(passed ? "passed" : "failed"),
            "checks": .array(checks.map(\.json)),
            "evaluations": .array(evaluations),
            "claims": .array(claims.map(\.json)),
        ]
    }
}

extension ValidationReport.Check {
    fileprivate var json: JSONValue {
        [
            "name": .string(name.rawValue), "result": .string(result.rawValue),
            "summary": .string(summary), "findings": .array(findings.map(\.json)),
        ]
    }
}

extension Finding {
    /// The fields of a finding in reports.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue),
            "path": .string(path), "message": .string(message),
        ]
        if let remedy { members["remedy"] = .string(remedy) }
        return .object(members)
    }
}
