// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization
internal import UnixSignals
internal import ZooCore

/// An HTTP server over a registry folder, and over others that are mounted under prefixes.
///
/// It serves the files of the registry layout (``RegistryLayout``) as any static web server could, with
/// single byte ranges and strong entity tags, and nothing else of the folder. Below `/v2/` it answers the
/// OCI distribution API, through which releases are published.
package struct RegistryServer: Sendable {
    /// What stops the server besides cancelling the task.
    package enum Interruption: Sendable {
        /// SIGINT and SIGTERM, whose default action is disabled while the server runs.
        case signals
        /// Nothing.
        case none
    }

    private let root: String
    private let mounts: [MountedRegistry]
    private let address: ListenAddress
    private let policy: any AccessPolicy
    private let options: ServerOptions
    private let logger: Logger
    private let limits: ConnectionLimits
    private let tls: TLSIdentity?

    /// Creates a server that is not running.
    ///
    /// - Parameters:
    ///   - root: the registry folder.
    ///   - mounts: registries under prefixes, for holders of their own credentials only.
    ///   - address: the listen address; port 0 selects a free port.
    ///   - policy: who may do what; the folder is opened for writing only if somebody may write.
    ///   - options: what the server accepts beside releases.
    ///   - logger: receives one line per request at level info, and failures.
    ///   - limits: the limits on client connections.
    ///   - tls: the certificate and the key of HTTPS; nil for HTTP.
    package init(
        root: String,
        mounts: [MountedRegistry] = [],
        address: ListenAddress,
        policy: any AccessPolicy = OpenPolicy(writable: false),
        options: ServerOptions = ServerOptions(),
        logger: Logger,
        limits: ConnectionLimits = .standard,
        tls: TLSIdentity? = nil
    ) {
        self.root = root
        self.mounts = mounts
        self.address = address
        self.policy = policy
        self.options = options
        self.logger = logger
        self.limits = limits
        self.tls = tls
    }

    /// Serves until the task is cancelled or a signal arrives.
    ///
    /// On shutdown, running requests get at most ``ConnectionLimits/drain`` to finish.
    ///
    /// - Parameters:
    ///   - interruption: whether SIGINT and SIGTERM stop the server.
    ///   - onListening: called once when clients can connect, with the URL, such as
    ///     `http://127.0.0.1:8080`, and whether the server is read-only.
    /// - Throws: ``ZooError`` with code `server.root-invalid`, `server.mount-conflict`,
    ///   `registry.locks-unavailable`, `server.cannot-listen`, or `io.*`.
    package func run(
        stoppingOn interruption: Interruption = .signals,
        onListening: @escaping @Sendable (_ url: String, _ isReadOnly: Bool) -> Void
    ) async throws {
        // A thread that waits for a slow disk must not delay reads from the page cache.
        let readers = NIOThreadPool(numberOfThreads: max(8, System.coreCount))
        readers.start()
        let result: Result<Void, any Error>
        do {
            let metrics = ServerMetrics()
            let table = try await readers.runIfActive { try open(readers, metrics) }
            try await serve(table, metrics, interruption, onListening)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await readers.shutdownGracefully()
        try result.get()
    }

    /// Opens all registries; blocks the calling thread.
    private func open(
        _ readers: NIOThreadPool,
        _ metrics: ServerMetrics
    ) throws(ZooError) -> MountTable {
        // First, so that no folder is changed that belongs to another registry.
        try MountedRegistry.requireSeparate(mounts, root: root)
        let tags = EntityTagCache()
        func responder(
            _ root: String,
            _ policy: any AccessPolicy,
            _ prefix: MountPrefix?
        ) throws(ZooError) -> RegistryResponder {
            RegistryResponder(
                registry: try ServedRegistry(
                    root: root,
                    policy.isWritable ? options.writing : .never,
                    prefix: prefix,
                    state: options.state.map { $0 + (prefix.map { "/\($0)" } ?? "") }
                ),
                reserved: prefix == nil ? Set(mounts.map(\.prefix.text)) : [],
                policy: policy,
                options: options,
                tags: tags,
                readers: readers,
                log: AccessLog(logger: logger, metrics: metrics)
            )
        }
        var mounted: [(prefix: MountPrefix, responder: RegistryResponder)] = []
        for mount in mounts {
            mounted.append((mount.prefix, try responder(mount.root, mount.policy, mount.prefix)))
        }
        return MountTable(main: try responder(root, policy, nil), mounted: mounted)
    }

    private func serve(
        _ table: MountTable,
        _ metrics: ServerMetrics,
        _ interruption: Interruption,
        _ onListening: @escaping @Sendable (String, Bool) -> Void
    ) async throws {
        let listened = Atomic(false)
        // Log the framework's messages only from level warning.
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let application = Application(
            responder: ServerResponder(
                mounts: table,
                log: AccessLog(logger: logger, metrics: metrics)
            ),
            server: HTTPServerBuilder { [limits, tls] in
                RegistryConnection(responder: $0, limits: limits, metrics: metrics, tls: tls)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: .maximum(limits.connections, logger: quiet)
            ),
            onServerRunning: { channel in
                listened.store(true, ordering: .relaxed)
                onListening(url(of: channel), table.main.registry.writer == nil)
            },
            logger: quiet
        )
        var services: [any Service] = [application]
        for responder in table.all {
            guard let writer = responder.registry.writer else { continue }
            services.append(UploadExpiry(uploads: writer.uploads, logger: quiet))
            guard let trust = writer.trust else { continue }
            services.append(
                MetadataRenewal(registry: writer.registry, state: trust, logger: quiet)
            )
        }
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: interruption == .signals ? [.sigint, .sigterm] : [],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = limits.drain
        do {
            try await Self.run(ServiceGroup(configuration: configuration))
        } catch let error where !listened.load(ordering: .relaxed) {
            throw ZooError(
                .cannotListen,
                "cannot listen on \(address): \(error)",
                remedy: "choose another address with --listen HOST:PORT; 0 selects a free port",
                cause: error
            )
        }
    }

    /// Runs a service group so that cancellation triggers a graceful shutdown.
    ///
    /// The inner task is unstructured, because cancellation would propagate to a structured task and
    /// abort its requests.
    private static func run(_ group: ServiceGroup) async throws {
        let service = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await service.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// The URL of the listening socket, whose port the system may have selected.
    private func url(of channel: any Channel) -> String {
        let port = channel.localAddress?.port ?? address.port
        return "\(tls == nil ? "http" : "https")://\(ListenAddress(host: address.host, port: port))"
    }
}
