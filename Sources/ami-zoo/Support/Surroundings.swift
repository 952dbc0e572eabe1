// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooRegistry
internal import ZooStore
internal import ZooTransport

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Which registry a command reads.
struct RegistryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The registry: a folder, a 'file:' URL, or an http(s) address.",
            discussion: "Default: AMI_ZOO_REGISTRY, then the configuration file, then the registry "
                + "that ships with ami-zoo."
        )
    )
    var registry: String?
}

/// The environment of the process, with the options of a command.
struct Surroundings: Sendable {
    private let environment = UserEnvironment()

    /// The local store; see ``UserEnvironment/store``.
    var store: ModelStore { get throws(ZooError) { try environment.store } }

    /// The folder for large temporary files.
    var spool: String { environment.spool }

    /// The file of `login` and `logout`.
    var credentialStore: CredentialStore {
        get throws(ZooError) { try environment.credentialStore }
    }

    /// The folder with the signing keys of the user.
    var keyFolder: String { get throws(ZooError) { try environment.keyFolder } }

    /// The file with the user's policy, which need not exist; nil if it has no location.
    var policyFile: String? { environment.policyFile }

    /// The passphrase of an encrypted key; nil when none is set.
    var keyPassphrase: String? { environment.keyPassphrase }

    /// The catalogue of models that ships with the program.
    func catalogue() throws(ZooError) -> Catalogue { try environment.catalogue() }

    /// The registry that a command reads.
    ///
    /// - Parameters:
    ///   - options: the options on the command line.
    ///   - host: the host in a reference, used if no option names a registry.
    /// - Returns: the location.
    /// - Throws: as ``UserEnvironment/registryLocation(_:host:)``.
    func registryLocation(
        _ options: RegistryOptions,
        host: String? = nil
    ) throws(ZooError) -> RegistryLocation {
        try environment.registryLocation(options.registry, host: host)
    }

    /// The registry folder that a command changes.
    func registryFolder(_ options: RegistryOptions, host: String?) throws(ZooError) -> String {
        try environment.registryFolder(options.registry, host: host)
    }

    /// Changes the index document of a model in a folder or on a server.
    func apply(
        _ change: IndexChange,
        _ options: RegistryOptions,
        _ network: NetworkOptions,
        _ signing: SigningOptions,
        host: String?
    ) async throws -> IndexDocument {
        let editor = try environment.editor(
            options.registry,
            host: host,
            keys: try signing.keys(self),
            transport: try transport(network)
        )
        return try await Interruption.cancelling { try await editor.apply(change) }
    }

    /// A transport with the options of a command and the settings of the environment.
    func transport(
        _ network: NetworkOptions,
        onRetry: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ZooError) -> HTTPTransport {
        var configuration = TransportConfiguration(version: AmiZoo.version)
        configuration.onRetry = { onRetry("\($0)") }
        try network.apply(to: &configuration) { environment[$0] }
        return HTTPTransport(configuration: configuration)
    }

    /// Opens a registry.
    func registry(
        _ options: RegistryOptions,
        _ network: NetworkOptions,
        host: String? = nil,
        onRetry: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ZooError) -> Registry {
        Registry(
            try registryLocation(options, host: host),
            transport: try transport(network, onRetry: onRetry),
            // A registry can be read without a store; its documents are then not cached.
            cache: try? store,
            credentials: environment.credentials(named: options.registry != nil || host == nil),
            trusted: (try? store).map(TrustedRegistries.init)
        )
    }

    /// Opens a registry in a folder, whose mirrors may be elsewhere.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - network: the options of a command that reads mirrors.
    /// - Returns: the registry.
    /// - Throws: ``ZooError`` when an option is not valid.
    func registry(folder: String, _ network: NetworkOptions? = nil) throws(ZooError) -> Registry {
        Registry(
            .folder(folder),
            transport: try network.map { options throws(ZooError) in try transport(options) }
                ?? HTTPTransport(
                    configuration: TransportConfiguration(version: AmiZoo.version)
                ),
            cache: nil,
            credentials: environment.credentials(named: false)
        )
    }

    /// Opens a registry for publishing.
    func target(
        _ options: RegistryOptions,
        _ network: NetworkOptions,
        _ signing: SigningOptions,
        onRetry: @escaping @Sendable (String) -> Void
    ) async throws -> any RegistryTarget {
        try await environment.target(
            options.registry,
            keys: try signing.keys(self),
            transport: try transport(network, onRetry: onRetry)
        )
    }

    /// Opens the registries that a mirror copies from and to.
    func mirror(
        from source: String,
        to destination: String,
        _ network: NetworkOptions,
        _ signing: SigningOptions,
        onRetry: @escaping @Sendable (String) -> Void
    ) async throws -> (source: Registry, target: any RegistryTarget) {
        let transport = try transport(network, onRetry: onRetry)
        let target = try await environment.target(
            destination,
            keys: try signing.keys(self),
            transport: transport
        )
        let registry = Registry(
            try RegistryLocation(parsing: source),
            transport: transport,
            cache: nil,
            // One token does not serve two registries; it is for the one that is written.
            credentials: environment.credentials(named: target is FolderTarget),
            trusted: (try? store).map(TrustedRegistries.init)
        )
        return (registry, target)
    }
}
