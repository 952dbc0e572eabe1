// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What went wrong, in a form that programs compare and people read.
///
/// Every module throws this one type. Callers switch on ``code``; people read ``message`` and
/// ``remedy``. Codes are API and are listed in `docs/errors.md`.
public struct ZooError: Error, Sendable {
    /// The stable identity of the failure; equality looks at nothing else.
    public let code: Code
    /// What happened, with the offending value and where it came from.
    public let message: String
    /// The next thing the reader can do, when there is one.
    public let remedy: String?
    /// The failure underneath, when this one was provoked by another.
    public let cause: (any Error)?

    /// Makes an error.
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
    /// What kind of failure a code is: the kinds that scripts tell apart by exit status.
    public enum Category: String, Sendable, CaseIterable {
        /// The request itself makes no sense.
        case usage
        /// Data that breaks its format's rules.
        case badData
        /// Something named does not exist.
        case notFound
        /// A registry could not be reached or did not answer as HTTP requires.
        case unreachable
        /// The local machine refused: disk full, no permission, read error.
        case inputOutput
        /// A digest did not match.
        case integrity
        /// Not permitted, or not trusted.
        case notPermitted
    }

    /// A stable name such as `registry.not-found`, with its category.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The text that JSON output and `docs/errors.md` show.
        public let rawValue: String
        /// The category, which decides the exit status.
        public let category: Category

        /// Declares a code; each module lists its own in `ZooError+<Module>.swift`.
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
    /// The message, the remedy and the code, and the chain of causes.
    public var description: String {
        var text = "\(message) [\(code)]"
        if let remedy { text += "\n  remedy: \(remedy)" }
        if let cause { text += "\n  cause: \(cause)" }
        return text
    }
}
