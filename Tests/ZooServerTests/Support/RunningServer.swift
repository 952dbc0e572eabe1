// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Logging
import Synchronization
import ZooServer

/// A server over a registry of its own, as tests see it.
struct RunningServer: Sendable {
    let registry: TestRegistry
    let url: String
    let log: LogLines
    private let task: Task<Void, any Error>

    /// Runs `body` beside a server that listens on a free port, then stops the server.
    static func with(
        policy: any AccessPolicy = OpenPolicy(writable: false),
        options: ServerOptions = ServerOptions(),
        limits: ConnectionLimits = .standard,
        tls: TLSIdentity? = nil,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await TestRegistry.with { registry in
            try await with(
                registry,
                policy: policy,
                options: options,
                limits: limits,
                tls: tls,
                body
            )
        }
    }

    /// Runs `body` beside a server over a new registry without models, to which everybody may publish.
    static func withRegistry(
        policy: any AccessPolicy = OpenPolicy.everything,
        options: ServerOptions = ServerOptions(),
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await TestRegistry.withEmpty { registry in
            try await with(registry, policy: policy, options: options, body)
        }
    }

    /// Runs `body` beside a server over a registry that exists already.
    static func with(
        _ registry: TestRegistry,
        mounts: [MountedRegistry] = [],
        policy: any AccessPolicy = OpenPolicy(writable: false),
        options: ServerOptions = ServerOptions(),
        limits: ConnectionLimits = .standard,
        tls: TLSIdentity? = nil,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        let log = LogLines()
        let server = RegistryServer(
            root: registry.root,
            mounts: mounts,
            address: ListenAddress(host: "127.0.0.1", port: 0),
            policy: policy,
            options: options,
            logger: log.logger,
            limits: limits,
            tls: tls
        )
        let (urls, listening) = AsyncStream<String>.makeStream()
        let task = Task {
            defer { listening.finish() }
            try await server.run(stoppingOn: .none) { url, _ in listening.yield(url) }
        }
        guard let url = await urls.first(where: { _ in true }) else {
            return try await task.value
        }
        let running = RunningServer(registry: registry, url: url, log: log, task: task)
        do {
            try await body(running)
        } catch {
            // The failure of the body is the one to report.
            try? await running.stop()
            throw error
        }
        try await running.stop()
    }

    /// Cancels the server's task and waits until it has returned.
    func stop() async throws {
        task.cancel()
        try await task.value
    }

    /// Polls until `condition` holds, for five seconds at most.
    func eventually(_ condition: () throws -> Bool) async throws -> Bool {
        for _ in 0..<250 {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}

/// The lines that were logged at info level or above.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var metadataProvider: Logger.MetadataProvider?
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let pairs = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted()
            lines.lines.withLock {
                $0.append(([event.message.description] + pairs).joined(separator: " "))
            }
        }
    }
}
