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

/// A tiny registry that is signed, with the keys of its owner and a clock that stands still.
struct OwnedRegistry {
    /// The time of every change, in seconds since 1970.
    static let start = 1_780_000_000
    static let day = 86_400

    var tiny: TinyRegistry
    let state: TrustState
    let keys: [PrivateKey]
    /// What a user trusted before anything was published.
    let root: [UInt8]

    var folder: TemporaryFolder { tiny.folder }

    /// Creates a registry that two keys may sign.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - threshold: how many of the two keys must sign for models.
    /// - Throws: the error of the registry.
    init(in folder: TemporaryFolder, threshold: Int = 1) throws {
        tiny = try TinyRegistry(in: folder)
        state = try TrustState(folder.path(of: "state"), of: tiny.root)
        keys = try [PrivateKey.generate(), PrivateKey.generate()]
        let plan = RolePlan(keys: keys.map(\.publicKey), threshold: threshold)
        let outcome = try RegistryFolder(opening: tiny.root).sign(
            root: plan,
            targets: plan,
            in: state,
            with: keys,
            at: Self.start,
            Cancellation()
        )
        try #require(outcome.missing.isEmpty)
        root = try FileSystem.document("\(tiny.root)/tuf/1.root.json", limit: 1 << 20)
        tiny.signer = try signer(keys)
    }

    /// What signs changes with these keys.
    func signer(_ keys: [PrivateKey], after days: Int = 0) throws -> RegistrySigner {
        RegistrySigner(keys: keys, online: try OnlineKeys(in: state.keys)) {
            Self.start + days * Self.day
        }
    }

    /// The registry folder, with keys.
    func open(_ keys: [PrivateKey]? = nil, after days: Int = 0) throws -> RegistryFolder {
        var registry = try RegistryFolder(opening: tiny.root)
        registry.signer = try signer(keys ?? self.keys, after: days)
        return registry
    }

    /// A user's store, in which the root of the registry at a location is trusted.
    func store(
        trusting location: RegistryLocation? = nil,
        named name: String = "store"
    ) throws -> ModelStore {
        let store = ModelStore(root: folder.path(of: name))
        try store.prepare()
        try TrustedRegistries(in: store).add(
            root,
            of: location ?? .folder(tiny.root),
            at: Timestamp(secondsSince1970: Self.start)
        )
        return store
    }

    /// A client of one command.
    func client(
        _ store: ModelStore,
        _ location: RegistryLocation? = nil,
        after days: Int = 0
    ) -> Registry {
        Registry(
            location ?? .folder(tiny.root),
            transport: location == nil ? .unused : .impatient,
            cache: store,
            trusted: TrustedRegistries(in: store),
            now: { Timestamp(secondsSince1970: Self.start + days * Self.day) }
        )
    }

    /// The versions that a client finds.
    func versions(_ store: ModelStore, after days: Int = 0) async throws -> [String] {
        try await client(store, after: days).index(of: ModelName(parsing: "ami/tiny"))
            .entries.map(\.version.description).sorted()
    }

    /// The bytes of every file of the registry, without those of its writers.
    func files() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for path in try FileSystem.files(below: tiny.root) where !path.hasPrefix(".") {
            files[path] = try FileSystem.document("\(tiny.root)/\(path)", limit: 1 << 24)
        }
        return files
    }

    /// Makes the registry have exactly these files.
    func restore(_ files: [String: [UInt8]]) throws {
        for path in try FileSystem.files(below: tiny.root)
        where !path.hasPrefix(".") && files[path] == nil {
            try FileSystem.remove("\(tiny.root)/\(path)")
        }
        for (path, bytes) in files {
            try FileSystem.createFolder(FileSystem.parent(of: "\(tiny.root)/\(path)"))
            try FileSystem.writeAtomically("\(tiny.root)/\(path)", bytes)
        }
    }

    func path(_ name: String) -> String { "\(tiny.root)/\(name)" }
}
