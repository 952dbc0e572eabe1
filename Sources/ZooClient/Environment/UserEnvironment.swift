// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore
package import ZooTransport

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where a user's store, registry, catalogue and credentials are: environment variables, the XDG folders
/// and the files that ship with the program.
package struct UserEnvironment: Sendable {
    private let variables: [String: String]

    /// Reads the environment of the process.
    package init() { variables = Self.readEnvironment() }

    /// The value of a variable; nil when it is not set or not used by this program.
    package subscript(name: String) -> String? { variables[name] }

    /// The local store.
    ///
    /// - Throws: ``ZooError`` with code `environment.no-home` if no variable determines its path.
    package var store: ModelStore {
        get throws(ZooError) {
            if let root = variables["AMI_ZOO_HOME"], !root.isEmpty {
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

    /// The folder with the signing keys of the user.
    ///
    /// - Throws: ``ZooError`` with code `environment.no-home` if no variable determines its path.
    package var keyFolder: String {
        get throws(ZooError) {
            guard let folder = folder("XDG_CONFIG_HOME", orBelowHome: ".config") else {
                throw ZooError(
                    .noHome,
                    "HOME is not set to an absolute path, so the keys have no location",
                    remedy: "set HOME, or give the path of a key file"
                )
            }
            return "\(folder)/ami-zoo/keys"
        }
    }

    /// The file with the user's policy, which need not exist; nil if no variable determines its path.
    package var policyFile: String? {
        folder("XDG_CONFIG_HOME", orBelowHome: ".config").map { "\($0)/ami-zoo/policy.yaml" }
    }

    /// The passphrase of an encrypted key; nil when none is set.
    package var keyPassphrase: String? { variables["AMI_ZOO_KEY_PASSPHRASE"] }

    /// The folder for temporary files that may be large: on disk, and not in memory as `/tmp` may be.
    package var spool: String {
        guard let folder = variables["TMPDIR"], folder.hasPrefix("/") else { return "/var/tmp" }
        return folder
    }

    /// A folder of the XDG Base Directory Specification, which ignores empty and relative paths.
    private func folder(_ variable: String, orBelowHome path: String) -> String? {
        if let folder = variables[variable], folder.hasPrefix("/") { return folder }
        guard let home = variables["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/\(path)"
    }

    private static func readEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        for name in [
            "HOME", "PATH", "TMPDIR", "AMI_ZOO_HOME", "AMI_ZOO_REGISTRY", "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy",
            "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "AMI_ZOO_TOKEN",
            "AMI_ZOO_KEY_PASSPHRASE",
            "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG",
        ] {
            if let value = unsafe getenv(name) { found[name] = unsafe String(cString: value) }
        }
        return found
    }

    /// The registry to read.
    ///
    /// - Parameters:
    ///   - address: the address that the user gave; nil for none.
    ///   - host: the host in a reference, used if no address is given.
    /// - Returns: the location.
    /// - Throws: ``ZooError`` with code `registry.address-invalid`, or that of a broken
    ///   configuration file.
    package func registryLocation(
        _ address: String?,
        host: String? = nil
    ) throws(ZooError) -> RegistryLocation {
        if let address { return try RegistryLocation(parsing: address) }
        if let host { return RegistryLocation(host: host) }
        if let registry = variables["AMI_ZOO_REGISTRY"], !registry.isEmpty {
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

    /// The registry folder to change.
    ///
    /// - Parameters:
    ///   - address: the address that the user gave; nil for none.
    ///   - host: the host in a reference, used if no address is given.
    /// - Returns: the folder.
    /// - Throws: ``ZooError`` with code `registry.folder-required` for a server, or as
    ///   ``registryLocation(_:host:)``.
    package func registryFolder(_ address: String?, host: String?) throws(ZooError) -> String {
        let location = try registryLocation(address, host: host)
        guard case .folder(let root) = location else {
            throw ZooError(
                .folderRequired,
                "\(location) is not a folder, and this command changes registry folders only",
                remedy: "run it on the machine of the registry, with its folder after --registry"
            )
        }
        return root
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
    package func catalogue() throws(ZooError) -> Catalogue {
        guard let folder = ShippedFiles.current.catalogue else {
            throw ZooError(
                .importModelMissing,
                "no model catalogue ships with this program",
                remedy: "give its folder with --catalogue"
            )
        }
        return Catalogue(folder: folder)
    }

    /// Opens a registry for publishing.
    ///
    /// - Parameters:
    ///   - address: the address that the user gave; nil for none.
    ///   - keys: the keys that sign changes, which a signed registry requires.
    ///   - transport: the HTTP transport.
    /// - Returns: the registry.
    /// - Throws: ``ZooError`` with code `registry.address-invalid` when neither the address nor the
    ///   environment names a registry, `registry.not-a-registry`, or as ``PublisherKeys/open(_:)``.
    package func target(
        _ address: String?,
        keys: PublisherKeys,
        transport: HTTPTransport
    ) async throws -> any RegistryTarget {
        let isNamed = address != nil || variables["AMI_ZOO_REGISTRY"]?.isEmpty == false
        // The registry that ships with the program is no place to publish by default.
        guard try isNamed || configuredRegistry() != nil else {
            throw ZooError(
                .registryAddress,
                "no registry to publish to is given",
                remedy: "give one with --registry, or set AMI_ZOO_REGISTRY"
            )
        }
        switch try registryLocation(address) {
        case .folder(let root): return try await FolderTarget(registry: root, keys: keys)
        case .web(let base):
            return try OCITarget(
                base: base,
                transport: transport,
                credentials: credentials(named: true),
                spool: spool,
                keys: keys,
                trusted: (try? store).map(TrustedRegistries.init)
            )
        }
    }

    /// Opens a registry whose index documents a command changes.
    ///
    /// - Parameters:
    ///   - address: the address that the user gave; nil for none.
    ///   - host: the host in a reference; nil without one.
    ///   - keys: the keys that sign changes, which a signed registry requires.
    ///   - transport: the HTTP transport.
    /// - Returns: the editor.
    /// - Throws: ``ZooError`` with code `registry.address-invalid` or `reference.malformed`.
    package func editor(
        _ address: String?,
        host: String?,
        keys: PublisherKeys,
        transport: HTTPTransport
    ) throws(ZooError) -> IndexEditor {
        switch try registryLocation(address, host: host) {
        case .folder(let root): return IndexEditor(folder: root, keys: keys)
        case .web(let base):
            return try IndexEditor(
                base: base,
                transport: transport,
                credentials: credentials(named: address != nil || host == nil),
                keys: keys,
                trusted: (try? store).map(TrustedRegistries.init)
            )
        }
    }

    // MARK: Credentials

    /// The file of `login` and `logout`.
    ///
    /// - Throws: ``ZooError`` with code `environment.no-home` if no variable determines its path.
    package var credentialStore: CredentialStore {
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
    package func credentials(named: Bool) -> RegistryCredentials.Lookup {
        { host in
            if named, let token = variables["AMI_ZOO_TOKEN"], !token.isEmpty {
                return RegistryCredentials(user: "token", secret: token)
            }
            // A credential helper may wait for its user.
            return try await BlockingWork.run { _ in try storedCredentials(of: host) }
        }
    }

    private func storedCredentials(of host: String) throws(ZooError) -> RegistryCredentials? {
        if let own = try? credentialStore, let found = try own.credentials(of: host) {
            return found
        }
        var files: [String] = []
        if let file = variables["REGISTRY_AUTH_FILE"] { files.append(file) }
        if let run = variables["XDG_RUNTIME_DIR"] { files.append("\(run)/containers/auth.json") }
        if let docker = variables["DOCKER_CONFIG"] { files.append("\(docker)/config.json") }
        if let home = variables["HOME"] { files.append("\(home)/.docker/config.json") }
        let programs = variables["PATH", default: ""].split(separator: ":").map(String.init)
        for file in files where file.hasPrefix("/") {
            let container = ContainerCredentials(path: file, helperFolders: programs)
            if let found = try container.credentials(of: host) { return found }
        }
        return nil
    }
}
