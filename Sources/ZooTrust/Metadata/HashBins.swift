// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Delegated roles that divide all paths by their hash (TAP 15, "succinct hash bin delegations").
///
/// A publisher signs only the bins of the paths that changed.
package struct HashBins: Hashable, Sendable {
    /// The keys of every bin.
    package let keys: RoleKeys
    /// The number of leading bits of a path's SHA-256 that select its bin, 1 to 32.
    package let bits: Int
    /// The part of the names of the bins before the number.
    package let prefix: String

    init(_ object: JSONObject, known: [KeyID: VerificationKey]) throws(ZooError) {
        keys = try RoleKeys(object, known: known)
        bits = try object.integer("bit_length", in: 1...32)
        prefix = try object.text("name_prefix", maximum: RoleName.limit - 9)
        // The names of all bins are valid when this one is: they have the same length.
        _ = try RoleName(delegated: Self.name(prefix, 0, bits))
    }

    /// The delegation to the bin of a path.
    package func delegation(of path: String) -> Delegation {
        let start = Int(ContentDigest(of: path.utf8).hex.prefix(8), radix: 16)
        guard let bin = start.map({ $0 >> (32 - bits) }),
            let role = try? RoleName(delegated: Self.name(prefix, bin, bits))
        else {
            preconditionFailure("the digest of '\(path)' or the name of its bin is malformed")
        }
        return Delegation(role: role, keys: keys, isTerminating: true, scope: .bin)
    }

    private static func name(_ prefix: String, _ bin: Int, _ bits: Int) -> String {
        let digits = String(bin, radix: 16)
        let zeros = String(repeating: "0", count: max(0, (bits + 3) / 4 - digits.count))
        return "\(prefix)-\(zeros)\(digits)"
    }
}
