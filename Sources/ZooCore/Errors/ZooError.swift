// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The error type of every module.
///
/// Programs switch on ``code``; people read ``message`` and ``remedy``. Codes are API and are listed
/// in `docs/errors.md`.
public struct ZooError: Error, Sendable {
    /// The stable code of the failure; two errors are equal when their codes are equal.
    public let code: Code
    /// What happened, with the offending value and where it came from.
    public let message: String
    /// What the reader can do next; nil when there is nothing to do.
    public let remedy: String?
    /// The underlying error; nil when there is none.
    public let cause: (any Error)?

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        remedy: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.cause = cause
    }
}

extension ZooError {
    /// The category of a failure, which decides the exit status.
    public enum Category: String, Sendable, CaseIterable {
        /// The request is invalid.
        case usage
        /// Data violates its format.
        case badData
        /// A named item does not exist.
        case notFound
        /// A registry could not be reached or violated HTTP.
        case unreachable
        /// Local I/O failed: disk full, no permission, read error.
        case inputOutput
        /// A digest did not match.
        case integrity
        /// The operation is not permitted, or a party is not trusted.
        case notPermitted
    }

    /// A stable name such as `registry.not-found`, with its category.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The text that JSON output and `docs/errors.md` show.
        public let rawValue: String
        /// The category, which decides the exit status.
        public let category: Category

        /// Declares a code; each module declares its codes in `ZooError+<Module>.swift`.
        public init(_ rawValue: String, _ category: Category) {
            self.rawValue = rawValue
            self.category = category
        }

        /// The text of the code.
        public var description: String { rawValue }
    }
}

extension ZooError: Equatable {
    /// Two errors are equal when their codes are.
    public static func == (left: ZooError, right: ZooError) -> Bool { left.code == right.code }
}

extension ZooError: CustomStringConvertible {
    /// The message, code, remedy and chain of causes.
    public var description: String {
        var text = "\(message) [\(code)]"
        if let remedy { text += "\n  remedy: \(remedy)" }
        if let cause { text += "\n  cause: \(cause)" }
        return text
    }
}
