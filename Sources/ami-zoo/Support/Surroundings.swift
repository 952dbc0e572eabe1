// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
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

/// What the process finds around it; the only place that reads the environment.
struct Surroundings: Sendable {
    /// The local store.
    let store: ModelStore
    private let environment: [String: String]

    init() {
        environment = Self.readEnvironment()
        let data =
            environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? "\(environment["HOME"] ?? ".")/.local/share"
        let root =
            environment["AMI_ZOO_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(data)/ami-zoo"
        store = ModelStore(root: FileSystem.absolute(root))
    }

    private static func readEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        for name in [
            "HOME", "AMI_ZOO_HOME", "AMI_ZOO_REGISTRY", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
        ] {
            if let value = unsafe getenv(name) { found[name] = unsafe String(cString: value) }
        }
        return found
    }

    /// The registry that a command reads.
    ///
    /// - Parameters:
    ///   - options: what the command line says.
    ///   - host: the host that a reference names, when no option names a registry.
    /// - Returns: the location.
    /// - Throws: ``ZooError`` with code `registry.address-invalid`, or that of a broken
    ///   configuration file.
    func registryLocation(
        _ options: RegistryOptions,
        host: String? = nil
    ) throws(ZooError) -> RegistryLocation {
        if let registry = options.registry { return try RegistryLocation(parsing: registry) }
        if let host { return RegistryLocation(host: host) }
        if let registry = environment["AMI_ZOO_REGISTRY"], !registry.isEmpty {
            return try RegistryLocation(parsing: registry)
        }
        if let registry = try configuredRegistry() {
            return try RegistryLocation(parsing: registry)
        }
        if let folder = ShippedFiles.current.registry { return .folder(folder) }
        throw ZooError(
            .registryAddress,
            "no registry is configured",
            remedy: "give one with --registry, or set AMI_ZOO_REGISTRY"
        )
    }

    private func configuredRegistry() throws(ZooError) -> String? {
        let folder = environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? ".")/.config"
        let path = "\(folder)/ami-zoo/config.json"
        guard try FileSystem.status(path) != nil else { return nil }
        let document = try JSONValue(parsing: try FileSystem.document(path, limit: 1 << 20))
        return try JSONObject(document, at: "").optionalString("registry", maximum: 4096)
    }

    /// The catalogue of models that ships with the program.
    ///
    /// - Throws: ``ZooError`` with code `import.model-not-found` when there is none.
    func catalogue() throws(ZooError) -> Catalogue {
        guard let folder = ShippedFiles.current.catalogue else {
            throw ZooError(
                .importModelMissing,
                "no catalogue of models lies beside this program",
                remedy: "give its folder with --catalogue"
            )
        }
        return Catalogue(folder: folder)
    }

    /// A transport for files that do not lie in a registry.
    func transport(onRetry: @escaping @Sendable (String) -> Void) -> HTTPTransport {
        var configuration = TransportConfiguration(version: AmiZoo.version)
        configuration.onRetry = { onRetry("\($0)") }
        return HTTPTransport(configuration: configuration)
    }

    /// Opens a registry.
    func registry(
        _ options: RegistryOptions,
        host: String? = nil,
        onRetry: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ZooError) -> Registry {
        var configuration = TransportConfiguration(version: AmiZoo.version)
        configuration.onRetry = { onRetry("\($0)") }
        return Registry(
            try registryLocation(options, host: host),
            transport: HTTPTransport(configuration: configuration),
            cache: store
        )
    }
}
