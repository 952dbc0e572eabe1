// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One problem reported by a check.
public struct Finding: Sendable, Equatable {
    /// How serious a finding is.
    public enum Severity: String, Sendable {
        /// The check failed.
        case error
        /// The check passed, but a user should know.
        case warning
    }

    /// The stable code of the problem.
    public let code: ZooError.Code
    /// The severity.
    public let severity: Severity
    /// The file, blob or document with the problem.
    public let path: String
    /// What is wrong.
    public let message: String
    /// What to do next; nil when there is nothing to do.
    public let remedy: String?

    /// Creates a finding.
    public init(
        _ code: ZooError.Code,
        _ severity: Severity = .error,
        path: String,
        message: String,
        remedy: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    /// Creates a finding of severity `error` from an error about `path`.
    public init(_ error: ZooError, path: String) {
        self.init(
            error.code,
            path: path,
            message: error.message,
            remedy: error.remedy
        )
    }
}
