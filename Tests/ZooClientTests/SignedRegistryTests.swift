// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting
import ZooTrust

/// What somebody with write access to a registry folder, but without its keys, does to it.
struct FolderAttack: Sendable, CustomTestStringConvertible {
    let name: String
    /// The code with which a client refuses; nil when it must read the newest state all the same.
    let code: ZooError.Code?
    /// The days that pass before the client asks.
    var days = 0
    /// Whether the client has seen the newest state before the attack.
    var isKnown = true
    /// Changes the registry, which has had the files of `older` before those that it has.
    let change: @Sendable (_ registry: OwnedRegistry, _ older: [String: [UInt8]]) throws -> Void

    var testDescription: String { name }

    private static func edit(
        _ registry: OwnedRegistry,
        _ path: String,
        _ change: (inout [UInt8]) -> Void
    ) throws {
        var bytes = try FileSystem.document(registry.path(path), limit: 1 << 24)
        change(&bytes)
        try FileSystem.writeAtomically(registry.path(path), bytes)
    }

    private static func revision(_ registry: OwnedRegistry) throws -> String {
        let bytes = try FileSystem.document(registry.path("index/ami/tiny.json"), limit: 1 << 20)
        return IndexRevision(of: try ModelName(parsing: "ami/tiny"), ContentDigest(of: bytes)).path
    }

    static let all = [
        FolderAttack(name: "nothing", code: nil) { _, _ in },
        FolderAttack(name: "another index document", code: nil) { registry, older in
            try FileSystem.writeAtomically(
                registry.path("index/ami/tiny.json"),
                older["index/ami/tiny.json"] ?? []
            )
        },
        FolderAttack(name: "another index document under its digest", code: .trustContent) {
            registry,
            _ in
            try edit(registry, revision(registry)) { $0[$0.count / 2] ^= 1 }
        },
        FolderAttack(name: "no index document under its digest", code: .trustMissing) {
            registry,
            _ in
            try FileSystem.remove(registry.path(revision(registry)))
        },
        FolderAttack(name: "no metadata", code: .trustMissing) { registry, _ in
            try FileSystem.remove(registry.path("tuf"))
        },
        FolderAttack(name: "a registry that says that it is not signed", code: nil) { registry, _ in
            try FileSystem.writeAtomically(
                registry.path("zoo.json"),
                RegistryDescription(name: "tiny").canonicalBytes
            )
        },
        FolderAttack(name: "a registry that is not signed", code: .trustMissing) { registry, _ in
            try FileSystem.remove(registry.path("tuf"))
            try FileSystem.writeAtomically(
                registry.path("zoo.json"),
                RegistryDescription(name: "tiny").canonicalBytes
            )
        },
        FolderAttack(name: "rollback of everything", code: .trustRollback) { registry, older in
            try registry.restore(older)
        },
        FolderAttack(name: "rollback of the snapshot", code: .trustContent, isKnown: false) {
            registry,
            older in
            try FileSystem.writeAtomically(
                registry.path("tuf/3.snapshot.json"),
                older["tuf/2.snapshot.json"] ?? []
            )
        },
        FolderAttack(name: "freeze", code: .trustExpired, days: 8) { _, _ in },
        FolderAttack(name: "mix and match", code: .trustContent, isKnown: false) {
            registry,
            older in
            try FileSystem.writeAtomically(
                registry.path("tuf/3.targets.json"),
                older["tuf/2.targets.json"] ?? []
            )
        },
        FolderAttack(name: "a foreign timestamp", code: .trustSignatures) { registry, _ in
            let bytes = try FileSystem.document(registry.path("tuf/timestamp.json"), limit: 1 << 20)
            let signed = try JSONObject(JSONValue(parsing: bytes)).object("signed")
            let time = try TimestampMetadata(signed)
            var draft = try MetadataDraft(
                TimestampMetadata(
                    header: MetadataHeader(version: 9, expires: time.header.expires),
                    snapshot: time.snapshot
                )
            )
            try draft.sign(with: PrivateKey.generate())
            try FileSystem.writeAtomically(registry.path("tuf/timestamp.json"), draft.bytes)
        },
        FolderAttack(name: "a foreign root", code: .trustSignatures) { registry, _ in
            try FileSystem.remove(registry.path("tuf"))
            try FileSystem.writeAtomically(
                registry.path("zoo.json"),
                RegistryDescription(name: "tiny").canonicalBytes
            )
            let key = try PrivateKey.generate()
            let plan = RolePlan(keys: [key.publicKey], threshold: 1)
            _ = try RegistryFolder(opening: registry.tiny.root).sign(
                root: plan,
                targets: plan,
                in: TrustState(registry.folder.path(of: "foreign"), of: registry.tiny.root),
                with: [key],
                at: OwnedRegistry.start,
                Cancellation()
            )
        },
        FolderAttack(name: "a next root of other keys", code: .trustSignatures) { registry, _ in
            let key = try PrivateKey.generate()
            let keys = try RoleKeys([key.publicKey], threshold: 1)
            let expires = Timestamp(secondsSince1970: OwnedRegistry.start + OwnedRegistry.day)
            var draft = try MetadataDraft(
                RootMetadata(
                    header: MetadataHeader(version: 2, expires: expires),
                    root: keys,
                    timestamp: keys,
                    snapshot: keys,
                    targets: keys
                )
            )
            try draft.sign(with: key)
            try FileSystem.writeAtomically(registry.path("tuf/2.root.json"), draft.bytes)
        },
    ]
}

/// Registry folders with signed metadata: what clients accept, and what writers may change.
@Suite struct SignedRegistryTests {
    private let name: ModelName

    init() throws { name = try ModelName(parsing: "ami/tiny") }

    private func version(_ text: String) throws -> SemanticVersion {
        try SemanticVersion(parsing: text)
    }

    private func yank(_ text: String) throws -> IndexChange {
        IndexChange(name, .yank(try version(text), reason: "a test"))
    }

    private let date = Timestamp(secondsSince1970: OwnedRegistry.start)

    // MARK: Clients

    @Test(arguments: FolderAttack.all)
    func clientsReadTheSignedStateOrNothing(attack: FolderAttack) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let older = try registry.files()
            let store = try registry.store()
            #expect(try await registry.versions(store) == ["1.0.0"])
            try registry.tiny.publish("1.1.0")
            if attack.isKnown {
                #expect(try await registry.versions(store) == ["1.0.0", "1.1.0"])
            }
            try attack.change(registry, older)
            do {
                let versions = try await registry.versions(store, after: attack.days)
                #expect(attack.code == nil)
                #expect(versions == ["1.0.0", "1.1.0"])
            } catch let error as ZooError {
                // An older file may also be longer than the one that is announced.
                let isLonger = attack.code == .trustContent && error.code == .trustTooLarge
                #expect(error.code == attack.code || isLonger, "\(error)")
            }
        }
    }

    @Test func aModelThatIsNotListedDoesNotExist() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let store = try registry.store()
            await #expect(throws: ZooError.self) {
                _ = try await registry.client(store).index(of: ModelName(parsing: "ami/other"))
            }
            _ = try registry.open().delete(name, try version("1.0.0"), at: date, Cancellation())
            do {
                _ = try await registry.client(store).index(of: name)
                Issue.record("a deleted model was found")
            } catch let error as ZooError {
                #expect(error.code == .modelUnknown)
            }
        }
    }

    @Test func nothingNewCostsTwoSmallRequests() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            try await HostileServer.with { server in
                server.serve(folder: registry.tiny.root)
                let location = try RegistryLocation(parsing: server.url(""))
                let store = try registry.store(trusting: location)
                _ = try await registry.client(store, location).index(of: name)
                server.forgetRequests()
                _ = try await registry.client(store, location).index(of: name)
                // The next root, which does not exist, and the timestamp; an unsigned registry would be asked for
                // its index document.
                #expect(server.requests.map(\.path) == ["/tuf/2.root.json", "/tuf/timestamp.json"])
            }
        }
    }

    @Test(arguments: [
        "http://EXAMPLE.org/zoo", "http://example.org:80/zoo", "http://example.org/zoo/",
    ])
    func anAddressInAnotherFormIsTheSameRegistry(text: String) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            let store = try registry.store(
                trusting: RegistryLocation(parsing: "http://example.org/zoo")
            )
            let list = TrustedRegistries(in: store)
            #expect(try list.entry(for: RegistryLocation(parsing: text)) != nil)
            #expect(
                try list.entry(for: RegistryLocation(parsing: "https://example.org/zoo")) == nil
            )
        }
    }

    @Test func aDamagedListOfTrustedRegistriesIsNotAnEmptyOne() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let store = try registry.store()
            for path in try FileSystem.files(below: "\(store.root)/trust")
            where path.hasSuffix("registry.json") {
                try FileSystem.writeAtomically("\(store.root)/trust/\(path)", [])
            }
            await #expect(throws: ZooError.self) { _ = try await registry.versions(store) }
        }
    }

    @Test func anotherRootIsNotTrustedBesidesTheFirst() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            let store = try registry.store()
            let other = try await TemporaryFolder.with { try OwnedRegistry(in: $0).root }
            let list = TrustedRegistries(in: store)
            do {
                try list.add(other, of: .folder(registry.tiny.root), at: date)
                Issue.record("a second root was trusted")
            } catch let error as ZooError {
                #expect(error.code.description == "trust.already-trusted")
            }
            #expect(try list.remove(.folder(registry.tiny.root)))
            try list.add(other, of: .folder(registry.tiny.root), at: date)
        }
    }

    // MARK: Writers

    @Test func aWriterWithoutTheKeysChangesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder, threshold: 2)
            try registry.tiny.publish("1.0.0")
            let before = try registry.files()
            let foreign = try PrivateKey.generate()
            for keys in [[], [foreign], [registry.keys[0]], [registry.keys[0], foreign]] {
                do {
                    try registry.open(keys).apply(yank("1.0.0"), at: date, Cancellation())
                    Issue.record("an unsigned change was made")
                } catch let error as ZooError {
                    #expect(error.code == .trustUnsigned)
                }
            }
            #expect(throws: ZooError.self) {
                try RegistryFolder(opening: registry.tiny.root)
                    .apply(yank("1.0.0"), at: date, Cancellation())
            }
            #expect(try registry.files() == before)
            try registry.open().apply(yank("1.0.0"), at: date, Cancellation())
            #expect(try registry.files() != before)
        }
    }

    @Test func anUnsignedChangeIsNotSignedByTheNextOne() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let store = try registry.store()
            let old = try FileSystem.document(registry.path("index/ami/tiny.json"), limit: 1 << 20)
            try registry.open().apply(yank("1.0.0"), at: date, Cancellation())
            // Without the yank again, and without a signature.
            try FileSystem.writeAtomically(registry.path("index/ami/tiny.json"), old)
            try registry.tiny.publish("1.1.0")
            let index = try await registry.client(store).index(of: name)
            #expect(index.entry(for: .version(try version("1.0.0")))?.yank != nil)
        }
    }

    @Test func aModelThatNobodySignedIsNotSignedByAChangeOfIt() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            let unsigned = try await TemporaryFolder.with { folder in
                let other = try TinyRegistry(in: folder)
                try other.publish("1.0.0")
                return try FileSystem.document("\(other.root)/index/ami/tiny.json", limit: 1 << 20)
            }
            try FileSystem.createFolder(registry.path("index/ami"))
            try FileSystem.writeAtomically(registry.path("index/ami/tiny.json"), unsigned)
            do {
                try registry.open().apply(yank("1.0.0"), at: date, Cancellation())
                Issue.record("an unsigned document was changed and signed")
            } catch let error as ZooError {
                #expect(error.code == .indexUnsigned)
            }
        }
    }
}
