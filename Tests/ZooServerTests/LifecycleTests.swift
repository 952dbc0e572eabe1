// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Glibc
import Logging
import Testing
import ZooCore
import ZooServer

private let anyPort = ListenAddress(host: "127.0.0.1", port: 0)

@Suite("Starting and stopping")
struct LifecycleTests {
    @Test("refuses a folder that is missing or not a registry")
    func refusesOtherFolders() async throws {
        try await TestRegistry.with { registry in
            try registry.write([1], at: "other/file")
            try registry.write(Array("{}".utf8), at: "wrong/zoo.json")
            for folder in ["missing", "other", "wrong", "zoo.json"] {
                let server = RegistryServer(
                    root: "\(registry.root)/\(folder)",
                    address: anyPort,
                    logger: LogLines().logger
                )
                let error = await #expect(throws: ZooError(.rootInvalid, "")) {
                    try await server.run(stoppingOn: .none) { _, _ in Issue.record("it listens") }
                }
                // 'registry init' refuses a folder with files, so no remedy may name this one.
                #expect(error?.remedy?.contains("'ami-zoo registry init' creates one") == true)
                #expect(error?.remedy?.contains(folder) == false)
            }
        }
    }

    @Test("says when the address is in use")
    func refusesTakenAddress() async throws {
        try await RunningServer.with { server in
            let address = try ListenAddress(parsing: String(server.url.dropFirst(7)))
            let second = RegistryServer(
                root: server.registry.root,
                address: address,
                logger: LogLines().logger
            )
            await #expect(throws: ZooError(.cannotListen, "")) {
                try await second.run(stoppingOn: .none) { _, _ in Issue.record("it listens") }
            }
        }
    }

    @Test("lets running requests finish when it is cancelled, and takes no new ones")
    func drains() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(zeros: 32 << 20)
            async let download = command(
                "curl",
                "-q",
                "-s",
                "--limit-rate",
                "24M",
                "\(server.url)/\(path)"
            )
            #expect(try await server.eventually { try server.registry.openFiles() == 1 })
            try await server.stop()
            #expect(try await download.output.count == 32 << 20)
            #expect(try await command("curl", "-q", "-s", "\(server.url)/zoo.json").status == 7)
        }
    }

    @Test("cuts off requests that do not finish in time")
    func stopsDraining() async throws {
        var limits = ConnectionLimits.standard
        limits.drain = .milliseconds(200)
        try await RunningServer.with(limits: limits) { server in
            let path = try server.registry.add(zeros: 32 << 20)
            async let download = command(
                "curl",
                "-q",
                "-s",
                "--limit-rate",
                "1M",
                "--max-time",
                "4",
                "\(server.url)/\(path)"
            )
            #expect(try await server.eventually { try server.registry.openFiles() == 1 })
            let start = ContinuousClock.now
            try await server.stop()
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(try server.registry.openFiles() == 0)
            #expect(try await download.status != 0)
        }
    }

    @Test("does not wait for connections without a request")
    func closesIdleConnections() async throws {
        try await RunningServer.with { server in
            async let idle = raw("", to: server.url)
            try await Task.sleep(for: .milliseconds(200))
            let start = ContinuousClock.now
            try await server.stop()
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await idle.status == 0)
        }
    }

    @Test("stops on SIGTERM")
    func stopsOnSignal() async throws {
        try await TestRegistry.with { registry in
            let server = RegistryServer(
                root: registry.root,
                address: anyPort,
                logger: LogLines().logger
            )
            try await server.run { _, _ in kill(getpid(), SIGTERM) }
        }
    }
}
