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

/// The environment of the process.
struct Surroundings: Sendable {
    private let environment: [String: String]

    init() {
        environment = Self.readEnvironment()
    }

    /// The local store.
    ///
    /// - Throws: ``ZooError`` with code `environment.no-home` if no variable determines its path.
    var store: ModelStore {
        get throws(ZooError) {
            if let root = environment["AMI_ZOO_HOME"], !root.isEmpty {
                return ModelStore(root: FileSystem.absolute(root))
            }
            guard let data = folder("XDG_DATA_HOME", orBelowHome: ".local/share") else {
                throw ZooError(
                    .noHome,
                    "HOME is not set to an absolute path, so the local store has no location",
                    remedy: "set HOME, or set AMI_ZOO_HOME to the folder for models"
                )
            }
            return ModelStore(root: "\(data)/ami-zoo")
        }
    }

    /// The folder for temporary files that may be large: on disk, and not in memory as `/tmp` may be.
    var spool: String {
        guard let folder = environment["TMPDIR"], folder.hasPrefix("/") else { return "/var/tmp" }
        return folder
    }

    /// A folder of the XDG Base Directory Specification, which ignores empty and relative paths.
    private func folder(_ variable: String, orBelowHome path: String) -> String? {
        if let folder = environment[variable], folder.hasPrefix("/") { return folder }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/\(path)"
    }

    private static func readEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        for name in [
            "HOME", "TMPDIR", "AMI_ZOO_HOME", "AMI_ZOO_REGISTRY", "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy",
            "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "AMI_ZOO_TOKEN",
            "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG",
        ] {
            if let value = unsafe getenv(name) { found[name] = unsafe String(cString: value) }
        }
        return found
    }

    /// The registry that a command reads.
    ///
    /// - Parameters:
    ///   - options: the options on the command line.
    ///   - host: the host in a reference, used if no option names a registry.
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
        guard let folder = folder("XDG_CONFIG_HOME", orBelowHome: ".config") else { return nil }
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
                "no model catalogue ships with this program",
                remedy: "give its folder with --catalogue"
            )
        }
        return Catalogue(folder: folder)
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
            credentials: credentials(named: options.registry != nil || host == nil)
        )
    }

    /// Opens a registry for publishing.
    func target(
        _ options: RegistryOptions,
        _ network: NetworkOptions,
        onRetry: @escaping @Sendable (String) -> Void
    ) async throws -> any RegistryTarget {
        let isNamed = options.registry != nil || environment["AMI_ZOO_REGISTRY"]?.isEmpty == false
        let isConfigured = try isNamed || configuredRegistry() != nil
        // The registry that ships with the program is no place to publish by default.
        guard isConfigured
        else {
            throw ZooError(
                .registryAddress,
                "no registry to publish to is given",
                remedy: "give one with --registry, or set AMI_ZOO_REGISTRY"
            )
        }
        switch try registryLocation(options) {
        case .folder(let root):
            let folder = try await FolderTarget(registry: root)
            return folder
        case .web(let base):
            return try OCITarget(
                base: base,
                transport: try transport(network, onRetry: onRetry),
                credentials: credentials(named: true),
                spool: "\(try store.root)/staging"
            )
        }
    }

    // MARK: Credentials

    /// The file of `login` and `logout`.
    ///
    /// - Throws: ``ZooError`` with code `environment.no-home` if no variable determines its path.
    var credentialStore: CredentialStore {
        get throws(ZooError) {
            guard let folder = folder("XDG_CONFIG_HOME", orBelowHome: ".config") else {
                throw ZooError(
                    .noHome,
                    "HOME is not set to an absolute path, so credentials have no location",
                    remedy: "set HOME, or pass a token in AMI_ZOO_TOKEN"
                )
            }
            return CredentialStore(path: "\(folder)/ami-zoo/credentials.json")
        }
    }

    /// Finds credentials: `AMI_ZOO_TOKEN`, then those of `login`, then those of Docker and Podman.
    ///
    /// - Parameter named: whether the user named the registry. A reference that somebody sent may name
    ///   any host, which must not receive the token.
    /// - Returns: the lookup.
    private func credentials(named: Bool) -> RegistryCredentials.Lookup {
        { host in
            if named, let token = environment["AMI_ZOO_TOKEN"], !token.isEmpty {
                return RegistryCredentials(user: "token", secret: token)
            }
            return try storedCredentials(of: host)
        }
    }

    private func storedCredentials(of host: String) throws(ZooError) -> RegistryCredentials? {
        if let own = try? credentialStore, let found = try own.credentials(of: host) {
            return found
        }
        var files: [String] = []
        if let file = environment["REGISTRY_AUTH_FILE"] { files.append(file) }
        if let run = environment["XDG_RUNTIME_DIR"] { files.append("\(run)/containers/auth.json") }
        if let docker = environment["DOCKER_CONFIG"] { files.append("\(docker)/config.json") }
        if let home = environment["HOME"] { files.append("\(home)/.docker/config.json") }
        for file in files where file.hasPrefix("/") {
            if let found = try ContainerCredentials(path: file).credentials(of: host) {
                return found
            }
        }
        return nil
    }
}

extension ZooError.Code {
    /// No environment variable determines the path of the local store.
    static let noHome = Self("environment.no-home", .inputOutput)
}
