// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Crypto
import Synchronization
import Testing
import ZooCore
import ZooTrust

/// A TUF repository in memory that a test publishes to, and that an attacker of a test changes.
struct SimulatedRepository {
    /// A private key; the public key has 32 bytes that depend on the number alone.
    struct Signer {
        let id: String
        let key: Curve25519.Signing.PrivateKey

        init(_ number: UInt8, id: String? = nil) throws {
            key = try Curve25519.Signing.PrivateKey(
                rawRepresentation: [UInt8](repeating: number, count: 32)
            )
            self.id = id ?? "key-\(number)"
        }

        var json: JSONValue {
            [
                "keytype": "ed25519", "scheme": "ed25519",
                "keyval": ["public": .string(Array(key.publicKey.rawRepresentation).hexadecimal)],
            ]
        }
    }

    /// The signers of each role, and how many of them must sign.
    var signers: [String: [Signer]]
    var thresholds: [String: Int] = [:]
    var versions = ["root": 1, "timestamp": 1, "snapshot": 1, "targets": 1]
    var expires = "2030-01-01T00:00:00Z"
    var targets: [String: [UInt8]] = ["index/ami/ball-drop.json": Array("{}".utf8)]
    var delegations: JSONValue?
    /// Other entries of the snapshot: version by role.
    var listed: [String: Int] = [:]
    /// Hashes in the snapshot instead of none.
    var targetsHashes: JSONValue?
    /// The files that the repository serves.
    var files: [String: [UInt8]] = [:]

    init() throws {
        signers = [
            "root": [try Signer(1)], "timestamp": [try Signer(2)], "snapshot": [try Signer(3)],
            "targets": [try Signer(4)],
        ]
        try publishRoot()
        try publish()
    }

    /// A signed document.
    static func sign(_ signed: [String: JSONValue], _ signers: [Signer]) throws -> [UInt8] {
        let message = try JSONValue.object(signed).canonicalTUF()
        let signatures = try signers.map { signer -> JSONValue in
            let signature = Array(try signer.key.signature(for: message)).hexadecimal
            return ["keyid": .string(signer.id), "sig": .string(signature)]
        }
        return JSONValue.object(["signed": .object(signed), "signatures": .array(signatures)])
            .canonicalBytes
    }

    func header(_ type: String, version: Int) -> [String: JSONValue] {
        [
            "_type": .string(type), "spec_version": "1.0.31", "version": .integer(version),
            "expires": .string(expires),
        ]
    }

    /// The metadata file of a targets role, signed by any keys.
    func targetsFile(
        version: Int,
        _ targets: [String: [UInt8]],
        _ delegations: JSONValue?,
        _ signers: [Signer]
    ) throws -> [UInt8] {
        var signed = header("targets", version: version)
        signed["targets"] = .object(
            targets.mapValues { content in
                [
                    "length": .integer(content.count),
                    "hashes": ["sha256": .string(ContentDigest(of: content).hex)],
                ]
            }
        )
        signed["delegations"] = delegations
        return try Self.sign(signed, signers)
    }

    /// Signs the current version of the root, also with the keys in `others`.
    mutating func publishRoot(with others: [Signer] = []) throws {
        let version = versions["root"] ?? 0
        var signed = header("root", version: version)
        signed["consistent_snapshot"] = true
        let all = signers.values.joined()
        signed["keys"] = .object(Dictionary(all.map { ($0.id, $0.json) }) { first, _ in first })
        signed["roles"] = .object(
            Dictionary(
                uniqueKeysWithValues: signers.map { role, signers in
                    (
                        role,
                        [
                            "keyids": .array(signers.map { .string($0.id) }),
                            "threshold": .integer(thresholds[role] ?? 1),
                        ]
                    )
                }
            )
        )
        files["\(version).root.json"] = try Self.sign(signed, (signers["root"] ?? []) + others)
    }

    /// Signs targets, snapshot and timestamp at their versions.
    mutating func publish() throws {
        let version = versions["targets"] ?? 0
        let document = try targetsFile(
            version: version,
            targets,
            delegations,
            signers["targets"] ?? []
        )
        files["\(version).targets.json"] = document
        for (path, content) in targets {
            files[try #require(Self.stored(path, content))] = content
        }
        try publishSnapshot()
    }

    /// Signs snapshot and timestamp at their versions.
    mutating func publishSnapshot() throws {
        var snapshot = header("snapshot", version: versions["snapshot"] ?? 0)
        var entry: [String: JSONValue] = ["version": .integer(versions["targets"] ?? 0)]
        entry["hashes"] = targetsHashes
        var meta: [String: JSONValue] = ["targets.json": .object(entry)]
        for (role, version) in listed { meta["\(role).json"] = ["version": .integer(version)] }
        snapshot["meta"] = .object(meta)
        let version = versions["snapshot"] ?? 0
        files["\(version).snapshot.json"] = try Self.sign(snapshot, signers["snapshot"] ?? [])
        var timestamp = header("timestamp", version: versions["timestamp"] ?? 0)
        timestamp["meta"] = ["snapshot.json": ["version": .integer(version)]]
        files["timestamp.json"] = try Self.sign(timestamp, signers["timestamp"] ?? [])
    }

    /// Raises versions.
    mutating func raise(_ roles: String...) {
        for role in roles { versions[role, default: 0] += 1 }
    }

    /// The name of a target with its hash; nil for an empty path.
    static func stored(_ path: String, _ content: [UInt8]) -> String? {
        var components = path.split(separator: "/").map(String.init)
        guard let name = components.popLast() else { return nil }
        return (components + ["\(ContentDigest(of: content).hex).\(name)"]).joined(separator: "/")
    }
}

/// The files of a simulated repository, and the names that were asked for.
final class ServedFiles: RepositoryFiles {
    let state: Mutex<(files: [String: [UInt8]], asked: [String])>

    init(_ repository: SimulatedRepository) { state = Mutex((repository.files, [])) }

    var asked: [String] { state.withLock { $0.asked } }

    func file(_ name: String, limit: Int) async throws -> [UInt8]? {
        state.withLock { state in
            state.asked.append(name)
            return state.files[name]
        }
    }
}
