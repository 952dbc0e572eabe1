// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension VerificationKey {
    /// The form of the key in TUF metadata, as securesystemslib writes it.
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid` for a key on P-521, which TUF does not name.
    var tuf: JSONValue {
        get throws(ZooError) {
            let (type, value) =
                switch algorithm {
                case .ed25519: ("ed25519", encoding.hexadecimal)
                case .ecdsaP256, .ecdsaP384: ("ecdsa", pem + "\n")
                case .rsaPSS: ("rsa", pem + "\n")
                case .ecdsaP521:
                    throw ZooError(
                        .trustKeys,
                        "the key \(hint.prefix(12)) is on P-521, which TUF metadata cannot hold",
                        remedy: "make a key on P-256 with 'ami-zoo keys new NAME'"
                    )
                }
            return [
                "keytype": .string(type), "scheme": .string(algorithm.rawValue),
                "keyval": ["public": .string(value)],
            ]
        }
    }
}

extension KeyID {
    /// The identifier by convention: the SHA-256 of the canonical form of the key (specification 4.2).
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid`.
    init(of key: VerificationKey) throws(ZooError) {
        self.init(ContentDigest(of: try key.tuf.canonicalTUF()).hex)
    }
}

extension RoleKeys {
    /// Authorises keys.
    ///
    /// - Parameters:
    ///   - keys: the keys, each once.
    ///   - threshold: how many of them must sign.
    /// - Throws: ``ZooError`` with code `trust.keys-invalid` when a key is given twice, when there are fewer
    ///   than the threshold, or for a key that TUF metadata cannot hold.
    package init(_ keys: [VerificationKey], threshold: Int) throws(ZooError) {
        var known: [KeyID: VerificationKey] = [:]
        for key in keys {
            guard known.updateValue(key, forKey: try KeyID(of: key)) == nil else {
                throw ZooError(
                    .trustKeys,
                    "the key \(key.hint.prefix(12)) is given twice for one role",
                    remedy: "give each key once"
                )
            }
        }
        guard 1...Self.limit ~= known.count, 1...known.count ~= threshold else {
            throw ZooError(
                .trustKeys,
                "\(known.count) keys were given for a role, and \(threshold) of them are to sign",
                remedy:
                    "give 1 to \(Self.limit) keys, and a threshold of at least 1 that is not larger"
            )
        }
        self.init(threshold: threshold, keys: known)
    }

    /// The members of a role: `keyids` and `threshold`.
    var members: [String: JSONValue] {
        let ids = (Array(keys.keys) + unusable).map(\.description).sorted()
        return ["keyids": .array(ids.map(JSONValue.string)), "threshold": .integer(threshold)]
    }

    /// The keys of several roles, by identifier.
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid`, also for a role with keys that this program did
    ///   not understand when it read them, and which it would lose.
    static func keyMembers(of roles: [RoleKeys]) throws(ZooError) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for role in roles {
            guard role.unusable.isEmpty else {
                throw ZooError(
                    .trustKeys,
                    "a role has keys of a kind that this program cannot write",
                    remedy: "change the role with the tool that made it"
                )
            }
            for (id, key) in role.keys { members[id.description] = try key.tuf }
        }
        return .object(members)
    }
}

extension Delegations {
    /// The member `delegations`.
    var json: JSONValue {
        get throws(ZooError) {
            switch self {
            case .roles(let roles):
                return [
                    "keys": try RoleKeys.keyMembers(of: roles.map(\.keys)),
                    "roles": .array(roles.map(\.json)),
                ]
            case .bins(let bins):
                var members = bins.keys.members
                members["bit_length"] = .integer(bins.bits)
                members["name_prefix"] = .string(bins.prefix)
                return [
                    "keys": try RoleKeys.keyMembers(of: [bins.keys]),
                    "succinct_roles": .object(members),
                ]
            }
        }
    }
}

extension Delegation {
    /// Delegates paths to a role, and to no other.
    ///
    /// - Parameters:
    ///   - role: the role.
    ///   - keys: its keys.
    ///   - patterns: the patterns of its paths.
    package init(to role: RoleName, _ keys: RoleKeys, patterns: [String]) {
        self.init(
            role: role,
            keys: keys,
            isTerminating: true,
            scope: .patterns(patterns.map(PathPattern.init))
        )
    }

    fileprivate var json: JSONValue {
        var members = keys.members
        members["name"] = .string(role.description)
        members["terminating"] = .bool(isTerminating)
        switch scope {
        case .patterns(let patterns):
            members["paths"] = .array(patterns.map { .string($0.text) })
        case .hashPrefixes(let prefixes):
            members["path_hash_prefixes"] = .array(prefixes.map(JSONValue.string))
        case .bin: break
        }
        return .object(members)
    }
}

extension Delegations {
    /// The delegated roles with their keys; hash bins are not among them.
    package var roles: [(role: RoleName, keys: RoleKeys)] {
        switch self {
        case .roles(let roles): roles.map { ($0.role, $0.keys) }
        case .bins: []
        }
    }

    /// The keys of a delegated role; nil when nothing is delegated to it.
    package func keys(of role: RoleName) -> RoleKeys? {
        switch self {
        case .roles(let roles): roles.first { $0.role == role }?.keys
        case .bins(let bins): bins.keys
        }
    }

    /// These delegations with one that replaces that to the same role.
    ///
    /// - Throws: ``ZooError`` with code `trust.role-invalid` for hash bins, which have no such list.
    package func replacing(_ delegation: Delegation) throws(ZooError) -> Delegations {
        guard case .roles(let roles) = self else {
            throw ZooError(
                .trustRole,
                "the role delegates to hash bins, and cannot delegate to '\(delegation.role)'",
                remedy: "delegate from another role"
            )
        }
        return .roles(roles.filter { $0.role != delegation.role } + [delegation])
    }
}
