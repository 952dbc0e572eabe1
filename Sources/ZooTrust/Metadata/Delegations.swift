// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The delegations of a targets role.
package enum Delegations: Hashable, Sendable {
    /// Roles in order of priority.
    case roles([Delegation])
    /// One role for each of a power of two of hash ranges, all with the same keys (TAP 15).
    case bins(HashBins)

    /// Reads `delegations`; an absent object is a list without roles.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` or `trust.malformed`, also when two
    ///   roles have one name.
    init(_ object: JSONObject?) throws(ZooError) {
        guard let object else {
            self = .roles([])
            return
        }
        let known = try RoleKeys.known(in: object)
        if let bins = try object.optionalObject("succinct_roles") {
            guard object.value("roles") == nil else {
                throw object.invalid("succinct_roles", "must not be beside 'roles'")
            }
            self = .bins(try HashBins(bins, known: known))
            return
        }
        var names: Set<RoleName> = []
        var roles: [Delegation] = []
        for role in try object.objects("roles", maximum: Self.limit) {
            let delegation = try Delegation(role, known: known)
            guard names.insert(delegation.role).inserted else {
                throw role.invalid("name", "repeats '\(delegation.role)'")
            }
            roles.append(delegation)
        }
        self = .roles(roles)
    }

    /// The largest number of roles in one list.
    static let limit = 65_536

    /// The delegations for a target in order of priority, up to the first terminating one.
    package func matching(_ path: String) -> [Delegation] {
        switch self {
        case .bins(let bins): return [bins.delegation(of: path)]
        case .roles(let roles):
            let hash = ContentDigest(of: path.utf8).hex
            var matching: [Delegation] = []
            for role in roles where role.scope.contains(path, hash: hash) {
                matching.append(role)
                if role.isTerminating { break }
            }
            return matching
        }
    }
}

/// One delegation: a role, its keys, and the paths for which it is trusted.
package struct Delegation: Hashable, Sendable {
    /// The paths of a delegation.
    package enum Scope: Hashable, Sendable {
        /// Paths that match one of the patterns.
        case patterns([PathPattern])
        /// Paths whose SHA-256, in hexadecimal, begins with one of the prefixes.
        case hashPrefixes([String])
        /// The paths of one hash bin.
        case bin

        func contains(_ path: String, hash: String) -> Bool {
            switch self {
            case .patterns(let patterns): patterns.contains { $0.matches(path) }
            case .hashPrefixes(let prefixes): prefixes.contains { hash.hasPrefix($0) }
            case .bin: true
            }
        }
    }

    /// The role.
    package let role: RoleName
    /// The keys that may sign the role.
    package let keys: RoleKeys
    /// Whether the search for a path in the scope ends with this role and its delegations.
    package let isTerminating: Bool
    /// The paths for which the role is trusted.
    package let scope: Scope

    init(role: RoleName, keys: RoleKeys, isTerminating: Bool, scope: Scope) {
        self.role = role
        self.keys = keys
        self.isTerminating = isTerminating
        self.scope = scope
    }

    init(_ object: JSONObject, known: [KeyID: VerificationKey]) throws(ZooError) {
        role = try RoleName(delegated: try object.text("name", maximum: 4096))
        keys = try RoleKeys(object, known: known)
        isTerminating = try object.optionalBool("terminating") ?? false
        guard (object.value("paths") == nil) != (object.value("path_hash_prefixes") == nil) else {
            throw object.invalid("paths", "or 'path_hash_prefixes' must be there, and not both")
        }
        if object.value("paths") != nil {
            let patterns = try object.strings("paths", maximum: Delegations.limit, each: 4096)
            scope = .patterns(patterns.map(PathPattern.init))
        } else {
            let prefixes = try object.strings("path_hash_prefixes", maximum: Delegations.limit)
            scope = .hashPrefixes(prefixes)
        }
    }
}
