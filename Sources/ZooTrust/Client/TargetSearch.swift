// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The search for one target through the delegations (specification 5.6.7), without input and output.
///
/// Pre-order, depth first: the first role in order of priority that lists the target decides.
package struct TargetSearch: Sendable {
    /// A role to visit, and the keys of the delegation through which it was reached.
    package struct Visit: Sendable {
        /// The role.
        package let role: RoleName
        /// The keys that may sign it here.
        package let keys: RoleKeys
    }

    private let path: String
    private let limit: Int
    private var pending: [Visit]
    private var visited: Set<RoleName> = []

    /// Starts a search at the top-level targets role.
    ///
    /// - Parameters:
    ///   - path: the path of the target.
    ///   - root: the root of the update.
    ///   - limit: the most delegated roles to visit.
    package init(for path: String, from root: CurrentRoot, limit: Int) {
        self.path = path
        self.limit = limit
        pending = [Visit(role: .targets, keys: root.root.content.targets)]
    }

    /// The next role to visit; nil when there is none left.
    ///
    /// - Throws: ``ZooError`` with code `trust.too-many-steps`.
    package mutating func next() throws(ZooError) -> Visit? {
        while let visit = pending.popLast() {
            guard !visited.contains(visit.role) else { continue }
            guard visited.count <= limit else {
                throw ZooError(
                    .trustTooManySteps,
                    "the search for '\(path)' visited \(limit) delegated roles without an end",
                    remedy: "report it to the registry's owner"
                )
            }
            visited.insert(visit.role)
            return visit
        }
        return nil
    }

    /// Looks into a visited role.
    ///
    /// - Parameter targets: the metadata of the role that ``next()`` returned last.
    /// - Returns: the target if the role lists it; otherwise nil, and the roles to which it delegates
    ///   the path come next.
    package mutating func look(into targets: Verified<TargetsMetadata>) -> TargetFile? {
        if let target = targets.content.targets[ExactName(path)] { return target }
        let matching = targets.content.delegations.matching(path)
        // The roles before a terminating one are still visited first.
        if matching.last?.isTerminating == true { pending = [] }
        pending += matching.reversed().map { Visit(role: $0.role, keys: $0.keys) }
        return nil
    }
}
