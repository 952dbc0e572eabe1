// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting
import ZooTrust

/// Owners of a signed registry who make, delegate, replace and renew keys.
@Suite struct SigningCeremonyTests {
    private let name: ModelName
    private let date = Timestamp(secondsSince1970: OwnedRegistry.start)

    init() throws { name = try ModelName(parsing: "ami/tiny") }

    private func plan(_ keys: [PrivateKey], threshold: Int = 1) -> RolePlan {
        RolePlan(keys: keys.map(\.publicKey), threshold: threshold)
    }

    private func yank(_ reason: String) throws -> IndexChange {
        IndexChange(name, .yank(try SemanticVersion(parsing: "1.0.0"), reason: reason))
    }

    private func expect<Result>(_ code: ZooError.Code, _ body: () throws -> Result) {
        do {
            _ = try body()
            Issue.record("\(code) was expected")
        } catch let error as ZooError {
            #expect(error.code == code, "\(error)")
        } catch {
            Issue.record(error)
        }
    }

    @Test func aRootWaitsUntilEnoughKeysSigned() async throws {
        try await TemporaryFolder.with { folder in
            let tiny = try TinyRegistry(in: folder)
            try tiny.publish("1.0.0")
            let registry = try RegistryFolder(opening: tiny.root)
            let state = try TrustState(folder.path(of: "state"), of: tiny.root)
            let keys = try (0..<3).map { _ in try PrivateKey.generate() }
            func sign(_ signers: [PrivateKey]) throws -> TrustOutcome {
                try registry.signPending(
                    in: state,
                    with: signers,
                    at: OwnedRegistry.start,
                    Cancellation()
                )
            }
            let first = try registry.sign(
                root: plan(keys, threshold: 2),
                targets: plan([keys[0]]),
                in: state,
                with: [keys[0]],
                at: OwnedRegistry.start,
                Cancellation()
            )
            #expect(first.missing.map(\.role) == ["root"])
            #expect(first.missing.map(\.signatures) == [1])
            #expect(first.fingerprint == nil)
            #expect(try FileSystem.status("\(tiny.root)/tuf") == nil)
            // The same key again, and a stranger's, are not two.
            #expect(try sign([keys[0], PrivateKey.generate()]).missing.map(\.signatures) == [1])
            // Somebody else has only the file.
            let file = try #require(first.missing.first?.path)
            let loose = try LooseMetadata(
                signing: FileSystem.document(file, limit: 1 << 20),
                with: [keys[2]]
            )
            #expect(loose.type == "root")
            try FileSystem.writeAtomically(file, loose.bytes)
            let done = try sign([])
            #expect(done.missing.isEmpty)
            #expect(done.fingerprint != nil)
            #expect(try registry.isSigned())
            expect(.trustAbsent) { try sign([]) }
            expect(.trustExists) {
                try registry.sign(
                    root: plan(keys),
                    targets: plan(keys),
                    in: state,
                    with: keys,
                    at: OwnedRegistry.start,
                    Cancellation()
                )
            }
        }
    }

    @Test func privateKeysDoNotLieInTheRegistry() async throws {
        try await TemporaryFolder.with { folder in
            let tiny = try TinyRegistry(in: folder)
            for path in ["\(tiny.root)/state", tiny.root, "\(tiny.root)/index/../keys"] {
                expect(.keyExposed) { try TrustState(path, of: tiny.root) }
            }
        }
    }

    @Test func onlyTheKeysOfANamespaceSignForIt() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let store = try registry.store()
            #expect(try await registry.versions(store) == ["1.0.0"])
            let maintainer = try PrivateKey.generate()
            func delegate(_ key: PrivateKey, with signers: [PrivateKey]) throws -> TrustOutcome {
                try registry.open().delegate(
                    "ami",
                    to: plan([key]),
                    in: registry.state,
                    with: signers,
                    at: OwnedRegistry.start,
                    Cancellation()
                )
            }
            #expect(try delegate(maintainer, with: [maintainer]).missing.map(\.role) == ["targets"])
            #expect(try delegate(maintainer, with: registry.keys).missing.map(\.role) == ["ami"])
            let done = try delegate(maintainer, with: registry.keys + [maintainer])
            #expect(done.missing.isEmpty)
            // What was there is still there, and now the namespace's.
            #expect(try await registry.versions(store) == ["1.0.0"])
            expect(.trustUnsigned) {
                try registry.open().apply(yank("by the owner"), at: date, Cancellation())
            }
            try registry.open([maintainer])
                .apply(yank("by the maintainer"), at: date, Cancellation())
            let index = try await registry.client(store).index(of: name)
            #expect(index.entries.first?.yank?.reason == "by the maintainer")
            // Another key, of which the old one knows nothing.
            let next = try PrivateKey.generate()
            #expect(try delegate(next, with: registry.keys + [next]).missing.isEmpty)
            expect(.trustUnsigned) {
                try registry.open([maintainer]).apply(yank("again"), at: date, Cancellation())
            }
            try registry.open([next]).apply(yank("by the next"), at: date, Cancellation())
            #expect(
                try await registry.client(store).index(of: name).entries.first?.yank?.reason
                    == "by the next"
            )
            for namespace in ["root", "targets", "", "a/b", "../x"] {
                expect(.trustRole) {
                    try registry.open().delegate(
                        namespace,
                        to: plan([next]),
                        in: registry.state,
                        with: registry.keys,
                        at: OwnedRegistry.start,
                        Cancellation()
                    )
                }
            }
        }
    }

    @Test func clientsFollowARotationOfEveryKey() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let stores = [try registry.store(), try registry.store(named: "other")]
            #expect(try await registry.versions(stores[0]) == ["1.0.0"])
            let new = try [PrivateKey.generate(), PrivateKey.generate()]
            func rotate(with signers: [PrivateKey]) throws -> TrustOutcome {
                try registry.open().rotate(
                    root: plan(new, threshold: 2),
                    targets: plan([new[0]]),
                    online: true,
                    in: registry.state,
                    with: signers,
                    at: OwnedRegistry.start,
                    Cancellation()
                )
            }
            // Not by the new keys alone, nor by the old ones alone.
            #expect(try rotate(with: new).missing.map(\.role) == ["root"])
            #expect(try rotate(with: registry.keys).missing.map(\.role) == ["root", "targets"])
            let done = try rotate(with: registry.keys + new)
            #expect(done.missing.isEmpty)
            #expect(done.state?.root.version == 2)
            for store in stores { #expect(try await registry.versions(store) == ["1.0.0"]) }
            expect(.trustUnsigned) {
                try registry.open().apply(yank("with an old key"), at: date, Cancellation())
            }
            try registry.open([new[0]]).apply(yank("with a new key"), at: date, Cancellation())
            for store in stores {
                let index = try await registry.client(store).index(of: name)
                #expect(index.entries.first?.yank?.reason == "with a new key")
            }
        }
    }

    @Test func metadataThatIsRenewedIsCurrentForALongerTime() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let store = try registry.store()
            func code(after days: Int) async throws -> ZooError.Code? {
                do {
                    _ = try await registry.versions(store, after: days)
                    return nil
                } catch let error as ZooError {
                    return error.code
                }
            }
            func renew(after days: Int, with keys: [PrivateKey] = []) throws {
                let outcome = try registry.open(after: days).renewMetadata(
                    in: registry.state,
                    with: keys,
                    at: OwnedRegistry.start + days * OwnedRegistry.day,
                    Cancellation()
                )
                #expect(outcome.missing.isEmpty)
            }
            #expect(try await code(after: 7) == .trustExpired)
            try renew(after: 7)
            #expect(try await code(after: 7) == nil)
            #expect(try await code(after: 13) == nil)
            #expect(try await code(after: 14) == .trustExpired)
            // Without the owner's keys, root and targets expire after a year.
            try renew(after: 364)
            #expect(try await code(after: 364) == nil)
            #expect(try await code(after: 365) == .trustExpired)
            try renew(after: 365, with: registry.keys)
            #expect(try await code(after: 365) == nil)
            try renew(after: 700)
            #expect(try await code(after: 700) == nil)
        }
    }

    @Test func aRenewalKeepsWhatWaitsForSignatures() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            let others = try (0..<3).map { _ in try PrivateKey.generate() }
            let outcome = try registry.open().rotate(
                root: plan(others, threshold: 2),
                targets: nil,
                online: false,
                in: registry.state,
                with: registry.keys + others.prefix(1),
                at: OwnedRegistry.start,
                Cancellation()
            )
            let path = try #require(outcome.missing.first?.path)
            let waiting = try FileSystem.document(path, limit: 1 << 20)
            let renewed = try registry.open(after: 5).renewMetadata(
                in: registry.state,
                with: [],
                at: OwnedRegistry.start + 5 * OwnedRegistry.day,
                Cancellation()
            )
            #expect(renewed.missing.isEmpty)
            #expect(try FileSystem.document(path, limit: 1 << 20) == waiting)
            let done = try registry.open(after: 5).signPending(
                in: registry.state,
                with: [others[1]],
                at: OwnedRegistry.start + 5 * OwnedRegistry.day,
                Cancellation()
            )
            #expect(done.missing.isEmpty)
        }
    }
}
