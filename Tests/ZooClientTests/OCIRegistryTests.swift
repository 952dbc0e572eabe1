// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting
import ZooTransport

/// Publishing to Docker's registry, and pulling from it.
@Suite(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
struct OCIRegistryTests {
    private func target(
        _ server: DockerRegistryServer,
        prefix: String = "",
        in folder: TemporaryFolder,
        _ credentials: RegistryCredentials? = nil
    ) throws -> OCITarget {
        try OCITarget(
            base: server.url + prefix,
            transport: .impatient,
            credentials: { _ in credentials },
            spool: folder.path(of: "spool")
        )
    }

    private func publisher(_ registry: SampleRegistry, _ target: OCITarget) -> Publisher {
        Publisher(from: RegistryDocuments(root: registry.root), to: target)
    }

    @Test(arguments: ["", "/some/where"])
    func aPublishedReleaseIsPulledAgain(prefix: String) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let first = try await registry.publish("1.0.0", seeds: [1, 2])
            let second = try await registry.publish("1.1.0-rc.1", seeds: [1, 3])
            try await DockerRegistryServer.with { server in
                let target = try target(server, prefix: prefix, in: folder)
                let publisher = publisher(registry, target)
                let planned = try await publisher.publish(first.digest, isDryRun: true)
                let sent = try await publisher.publish(first.digest)
                #expect(planned.bytesUploaded == sent.bytesUploaded)
                #expect(planned.uploaded.count == sent.uploaded.count)
                #expect(!sent.alreadyThere)
                let again = try await publisher.publish(first.digest)
                #expect(again.alreadyThere)
                #expect(again.bytesUploaded == 0)
                _ = try await publisher.publish(second.digest)

                let location = try RegistryLocation(parsing: server.url + prefix)
                let client = Registry(location, transport: .impatient, cache: nil)
                let index = try await client.index(of: ModelName(parsing: "ami/sample"))
                #expect(index.entries.map(\.digest) == [first.digest, second.digest])
                #expect(index.current?.digest == first.digest)
                let report = try await registry.puller(from: location).pull(.of("ami/sample"))
                #expect(report.digest == first.digest)
                #expect(
                    try FileSystem.document("\(report.path)/model.safetensors", limit: 1 << 30)
                        == folder.read("model-1.0.0/model.safetensors")
                )
            }
        }
    }

    @Test func aVersionWithOtherContentIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let one = try SampleRegistry(in: folder)
            let first = try await one.publish("1.0.0", seeds: [1])
            try await TemporaryFolder.with { other in
                let two = try SampleRegistry(in: other)
                let second = try await two.publish("1.0.0", seeds: [2])
                try await DockerRegistryServer.with { server in
                    let target = try target(server, in: folder)
                    _ = try await publisher(one, target).publish(first.digest)
                    await #expect(throws: ZooError(.versionTaken, "")) {
                        _ = try await publisher(two, target).publish(second.digest)
                    }
                }
            }
        }
    }

    /// What the index document lists keeps its number, also when its tag is gone.
    @Test(arguments: ["", "/some/where"])
    func aListedVersionThatIsGoneIsNotReplaced(prefix: String) async throws {
        try await TemporaryFolder.with { folder in
            let one = try SampleRegistry(in: folder)
            let first = try await one.publish("1.0.0", seeds: [1])
            try await TemporaryFolder.with { other in
                let two = try SampleRegistry(in: other)
                let second = try await two.publish("1.0.0", seeds: [2])
                try await DockerRegistryServer.with { server in
                    let target = try target(server, prefix: prefix, in: folder)
                    _ = try await publisher(one, target).publish(first.digest)
                    let name = try ModelName(parsing: "ami/sample")
                    let version = try SemanticVersion(parsing: "1.0.0")
                    let date = Timestamp(secondsSince1970: 1_700_000_000)
                    let editor = try #require(try await target.indexEditor())
                    let index = try await editor.apply(
                        IndexChange(name, .yank(version, reason: "wrong")),
                        at: date
                    )
                    #expect(index.entries[0].yank?.date == date)
                    let host = server.url.dropFirst("http://".count)
                    let deletion = try await ProgramRun(
                        "skopeo",
                        ["delete", "--tls-verify=false", "docker://\(host)\(prefix)/\(name):1.0.0"]
                    )
                    #expect(deletion.status == 0, "\(deletion.errors)")
                    await #expect(throws: ZooError(.versionTaken, "")) {
                        _ = try await publisher(two, target).publish(second.digest)
                    }
                    #expect(try await !publisher(one, target).publish(first.digest).alreadyThere)
                    let client = Registry(
                        try RegistryLocation(parsing: server.url + prefix),
                        transport: .impatient,
                        cache: nil
                    )
                    #expect(try await client.index(of: name) == index)
                }
            }
        }
    }

    /// Nothing travels of a release that is damaged here.
    @Test func aDamagedReleaseIsNotSent() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0", seeds: [1])
            let path = try registry.weights(of: packed).path
            var bytes = try folder.read("registry/\(path)")
            bytes[bytes.count / 2] ^= 1
            try FileSystem.writeAtomically(folder.path(of: "registry/\(path)"), bytes)
            try await DockerRegistryServer.with { server in
                let target = try target(server, in: folder)
                let error = try #require(
                    await #expect(throws: ZooError.self) {
                        _ = try await publisher(registry, target).publish(packed.digest)
                    }
                )
                #expect(error.code.category == .integrity, "\(error)")
                let client = Registry(
                    try RegistryLocation(parsing: server.url),
                    transport: .impatient,
                    cache: nil
                )
                await #expect(throws: ZooError(.modelUnknown, "")) {
                    _ = try await client.index(of: ModelName(parsing: "ami/sample"))
                }
            }
        }
    }

    @Test func aLoginIsNeededAndChecked() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0", seeds: [1])
            try await DockerRegistryServer.with(login: .basic) { server in
                let right = RegistryCredentials(user: "somebody", secret: "correct horse")
                let wrong = RegistryCredentials(user: "somebody", secret: "battery staple")
                for credentials in [nil, wrong] {
                    let target = try target(server, in: folder, credentials)
                    let error = try #require(
                        await #expect(throws: ZooError.self) {
                            _ = try await publisher(registry, target).publish(packed.digest)
                        }
                    )
                    #expect(error.code == .loginRequired)
                    #expect(!"\(error)".contains("battery"))
                }
                let target = try target(server, in: folder, right)
                _ = try await publisher(registry, target).publish(packed.digest)
                let change = IndexChange(
                    try ModelName(parsing: "ami/sample"),
                    .yank(try SemanticVersion(parsing: "1.0.0"), reason: "wrong")
                )
                let stranger = try await self.target(server, in: folder, wrong).indexEditor()
                await #expect(throws: ZooError(.loginRequired, "")) {
                    try await stranger?.apply(change)
                }
                let index = try await target.indexEditor()?.apply(change)
                #expect(index?.entries[0].yank?.reason == "wrong")
                let authorization = try OCIAuthorization(
                    base: server.url,
                    transport: .impatient,
                    credentials: right
                )
                #expect(try await authorization.verify())
            }
        }
    }
}
