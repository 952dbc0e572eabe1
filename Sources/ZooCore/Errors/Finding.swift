// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One thing that a check found.
public struct Finding: Sendable, Equatable {
    /// How bad it is.
    public enum Severity: String, Sendable {
        /// The check failed.
        case error
        /// Worth knowing; the check passed.
        case warning
    }

    /// The stable identity of what was found.
    public let code: ZooError.Code
    /// How bad it is.
    public let severity: Severity
    /// The file, blob or document it is about.
    public let path: String
    /// What is wrong.
    public let message: String
    /// The next thing to do, when there is one.
    public let remedy: String?

    /// A finding.
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

    /// What an error means for `path`.
    public init(_ error: ZooError, path: String) {
        self.init(
            error.code,
            path: path,
            message: error.message,
            remedy: error.remedy
        )
    }
}
