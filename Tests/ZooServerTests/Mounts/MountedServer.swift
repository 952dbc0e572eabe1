// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooServer
import ZooTesting

/// A server with a registry at its root and two mounted ones, `partner` and `fellows`.
///
/// The registry at the root has `ami/ball-drop:1.1.0`; each mounted one has `lab/secret:1.1.0`, with a
/// record of its own, and a blob that no manifest refers to.
struct MountedServer: Sendable {
    /// A registry as its owner sees it.
    struct Tenant: Sendable {
        let registry: TestRegistry
        let policy: TestPolicy
        /// A token that may do everything in this registry.
        let owner: String
        let release: SampleRelease
        /// A blob that was uploaded and that no manifest refers to.
        let loose: [UInt8]

        /// The digests that nobody else has.
        var digests: [ContentDigest] {
            [release.digest, release.manifest.record.digest, ContentDigest(of: loose)]
        }
    }

    /// The repository of the mounted registries.
    static let name = "lab/secret"

    let server: RunningServer
    let main: Tenant
    let partner: Tenant
    let fellows: Tenant

    /// A client with a token; without one, an anonymous client.
    func client(_ token: String? = nil) -> OCIClient { OCIClient(url: server.url, token: token) }

    static func with(
        options: ServerOptions = ServerOptions(allowsDeletion: true),
        main change: (inout TokenPolicy.Settings) -> Void = { _ in },
        mounted changeMounted: (inout TokenPolicy.Settings) -> Void = { _ in },
        _ body: (MountedServer) async throws -> Void
    ) async throws {
        let sample = try SampleRelease()
        func tenant(
            _ registry: TestRegistry,
            _ state: String,
            _ prefix: String?,
            _ seed: UInt64
        ) throws -> Tenant {
            var settings = TokenPolicy.Settings()
            if prefix == nil { change(&settings) } else { changeMounted(&settings) }
            settings.prefix = prefix
            let policy = try TestPolicy(state: state, settings)
            let summary = "Of \(prefix ?? "everybody")."
            let release =
                prefix == nil
                ? sample : sample.changing(["name": .string(name), "summary": .string(summary)])
            return Tenant(
                registry: registry,
                policy: policy,
                owner: try policy.create("owner", "*:admin"),
                release: release,
                loose: noise(1000, seed: seed)
            )
        }
        try await TemporaryFolder.with { folder in
            try await TestRegistry.withEmpty { root in
                try await TestRegistry.withEmpty { first in
                    try await TestRegistry.withEmpty { second in
                        let main = try tenant(root, folder.path(of: "state"), nil, 1)
                        let state = folder.path(of: "state/")
                        let partner = try tenant(first, "\(state)partner", "partner", 2)
                        let fellows = try tenant(second, "\(state)fellows", "fellows", 3)
                        let mounts = try [("partner", partner), ("fellows", fellows)].map {
                            MountedRegistry(
                                prefix: try MountPrefix(parsing: $0),
                                root: $1.registry.root,
                                policy: $1.policy.policy
                            )
                        }
                        try await RunningServer.with(
                            root,
                            mounts: mounts,
                            policy: main.policy.policy,
                            options: options
                        ) { server in
                            try await body(
                                MountedServer(
                                    server: server,
                                    main: main,
                                    partner: partner,
                                    fellows: fellows
                                )
                            )
                        }
                    }
                }
            }
        }
    }

    /// Publishes the release of each registry, and uploads the blob to the mounted ones.
    func publishAll() async throws {
        for (tenant, repository) in [
            (main, "ami/ball-drop"), (partner, "partner/\(Self.name)"),
            (fellows, "fellows/\(Self.name)"),
        ] {
            let owner = client(tenant.owner)
            let reply = try await tenant.release.publish(with: owner, as: "1.1.0", to: repository)
            #expect(reply.status == 201, "\(reply.text)")
            guard repository != "ami/ball-drop" else { continue }
            #expect(try await owner.upload(tenant.loose, to: repository).status == 201)
        }
    }

    /// Exchanges a token for a short-lived one.
    func session(_ token: String, _ scope: String? = nil) async throws -> String {
        let query = scope.map { "&scope=\($0)" } ?? ""
        let reply = try await client(token).send("GET", "/token?service=zoo\(query)")
        try #require(reply.status == 200, "\(reply.text)")
        return try JSONObject(try JSONValue(parsing: reply.body)).string("token")
    }
}
