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

/// A read-only HTTP server over a registry folder.
///
/// It serves the files of the registry layout (``RegistryLayout``) and nothing else: GET and HEAD,
/// single byte ranges, strong entity tags. A plain web server over the same folder does the same
/// for readers; this one needs no configuration and cannot be configured to serve too much.
package struct RegistryServer: Sendable {
    /// What else than cancellation of the task stops the server.
    package enum Interruption: Sendable {
        /// SIGINT and SIGTERM, which are then not handled otherwise while the server runs.
        case signals
        /// Nothing.
        case none
    }

    private let root: String
    private let address: ListenAddress
    private let logger: Logger
    private let limits: ConnectionLimits

    /// A server that is not running yet.
    ///
    /// - Parameters:
    ///   - root: the registry folder.
    ///   - address: where to listen; port 0 picks a free one.
    ///   - logger: gets one line per request at info level, and failures.
    ///   - limits: what clients may hold on to.
    package init(
        root: String,
        address: ListenAddress,
        logger: Logger,
        limits: ConnectionLimits = .standard
    ) {
        self.root = root
        self.address = address
        self.logger = logger
        self.limits = limits
    }

    /// Serves until the task is cancelled or a signal arrives, then finishes the requests that
    /// are running, for at most ``ConnectionLimits/drain``, and returns.
    ///
    /// - Parameters:
    ///   - interruption: whether SIGINT and SIGTERM stop the server.
    ///   - onListening: called once with the URL, such as `http://127.0.0.1:8080`, when clients
    ///     can connect.
    /// - Throws: ``ZooError`` with code `server.root-invalid` or `server.cannot-listen`.
    package func run(
        stoppingOn interruption: Interruption = .signals,
        onListening: @escaping @Sendable (_ url: String) -> Void
    ) async throws {
        // A thread that waits for a slow disk must not keep others from a page that is in memory.
        let readers = NIOThreadPool(numberOfThreads: max(8, System.coreCount))
        readers.start()
        let result: Result<Void, any Error>
        do {
            let folder = try await readers.runIfActive { [root] in try ServedFolder(path: root) }
            try await serve(folder, readers, interruption, onListening)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await readers.shutdownGracefully()
        try result.get()
    }

    private func serve(
        _ folder: ServedFolder,
        _ readers: NIOThreadPool,
        _ interruption: Interruption,
        _ onListening: @escaping @Sendable (String) -> Void
    ) async throws {
        let listened = Atomic(false)
        // The framework's own lines are of interest only when something is wrong.
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let application = Application(
            responder: RegistryResponder(
                folder: folder,
                tags: EntityTagCache(),
                readers: readers,
                log: AccessLog(logger: logger)
            ),
            server: HTTPServerBuilder { [limits] in
                RegistryConnection(responder: $0, limits: limits)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: .maximum(limits.connections, logger: quiet)
            ),
            onServerRunning: { channel in
                listened.store(true, ordering: .relaxed)
                onListening(url(of: channel))
            },
            logger: quiet
        )
        var configuration = ServiceGroupConfiguration(
            services: [application],
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
                remedy: "choose another address with --listen HOST:PORT; port 0 picks a free one",
                cause: error
            )
        }
    }

    /// Runs a group so that cancellation asks it to finish instead of cutting its requests off.
    ///
    /// The inner task is unstructured for exactly that: a structured one would be cancelled too.
    private static func run(_ group: ServiceGroup) async throws {
        let service = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await service.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    /// The URL of a listening socket, whose port may have been picked by the system.
    private func url(of channel: any Channel) -> String {
        let port = channel.localAddress?.port ?? address.port
        return "http://\(ListenAddress(host: address.host, port: port))"
    }
}
