// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a request does in a namespace; each action includes the ones before it.
package enum RegistryAction: Int, Sendable, Comparable, CaseIterable {
    /// Read documents and blobs.
    case read
    /// Upload blobs, publish, yank, change channels.
    case publish
    /// Delete.
    case admin

    /// Orders by what an action includes.
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What the sender of a request may do.
package struct Access: Sendable {
    /// The namespace that stands for all namespaces.
    package static let everywhere = "*"

    /// The name of the token's owner, for logs; nil when the sender is anonymous.
    package let subject: String?
    /// Whether the sender showed a short-lived token, which may have fewer rights than another one.
    package let isSession: Bool
    private let permits: @Sendable (RegistryAction, String) -> Bool

    /// Creates an access.
    ///
    /// - Parameters:
    ///   - subject: the name of the token's owner; nil when the sender is anonymous.
    ///   - isSession: whether the sender showed a short-lived token.
    ///   - permits: whether an action is allowed in a namespace, or in all (``everywhere``).
    package init(
        subject: String?,
        isSession: Bool = false,
        permits: @escaping @Sendable (RegistryAction, _ namespace: String) -> Bool
    ) {
        self.subject = subject
        self.isSession = isSession
        self.permits = permits
    }

    /// Whether an action is allowed in a namespace, or in all (``everywhere``).
    package func allows(_ action: RegistryAction, in namespace: String) -> Bool {
        permits(action, namespace)
    }

    /// The same access, but to read only in some namespaces.
    func withoutChanges(in namespaces: Set<String>) -> Access {
        guard !namespaces.isEmpty else { return self }
        return Access(subject: subject, isSession: isSession) { action, namespace in
            (action == .read || !namespaces.contains(namespace)) && permits(action, namespace)
        }
    }
}
