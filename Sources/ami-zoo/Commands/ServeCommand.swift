// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import Logging
internal import ZooCore
internal import ZooFiles
internal import ZooServer

/// `ami-zoo serve`.
struct ServeCommand: AsyncParsableCommand {
    /// What the server stores.
    enum Accepted: String, CaseIterable, ExpressibleByArgument {
        case releases
        case any
    }

    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a registry folder over HTTP or HTTPS.",
        discussion: """
            Serves the folder as a static registry and as an OCI registry. On a loopback address \
            everybody on this machine may publish, if the folder can be written; on other addresses \
            the server is read-only, \
            unless --state names a folder with the accounts of 'ami-zoo token'. \
            Prints its address when it accepts connections. Stops on SIGINT or SIGTERM.
            """
    )

    @Option(help: "The registry folder to serve.")
    var root: String

    @Option(help: "HOST:PORT to listen on; port 0 picks a free port.")
    var listen: String?

    @Option(help: "A PEM file with the server's certificate and its issuers, for HTTPS.")
    var tlsCertificate: String?

    @Option(help: "The PEM file with the certificate's private key, without a passphrase.")
    var tlsKey: String?

    @Flag(help: "Do not accept uploads.")
    var readOnly = false

    @Flag(help: "Let those who may publish delete versions and blobs.")
    var allowDelete = false

    @Option(
        help: ArgumentHelp(
            "What to accept: 'releases', or 'any' OCI artifact.",
            discussion: "Other artifacts are served below /v2/ only."
        )
    )
    var accept = Accepted.releases

    @OptionGroup(title: "Accounts") var access: AccessOptions
    @OptionGroup(title: "Private registries") var mounts: MountOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if access.state == nil, !mounts.mounts.isEmpty {
            throw ValidationError("--mount requires --state")
        }
        guard (tlsCertificate == nil) != (tlsKey == nil) else { return }
        throw ValidationError(
            tlsKey == nil
                ? "--tls-certificate requires --tls-key" : "--tls-key requires --tls-certificate"
        )
    }

    func run() async throws {
        do {
            var logger = Logger(label: "ami-zoo.serve") {
                StreamLogHandler.standardError(label: $0)
            }
            logger.logLevel = output.quiet ? .error : output.verbose ? .info : .warning
            let address = try listen.map(ListenAddress.init(parsing:)) ?? .standard
            let accounts = try await access.policy()
            let policy: any AccessPolicy = accounts ?? OpenPolicy(writable: address.isLoopback)
            var tls: TLSIdentity?
            if let tlsCertificate, let tlsKey {
                tls = try TLSIdentity(
                    certificate: FileSystem.absolute(tlsCertificate),
                    key: FileSystem.absolute(tlsKey)
                )
            }
            let server = RegistryServer(
                root: FileSystem.absolute(root),
                mounts: try await mounts.registries(access),
                address: address,
                policy: policy,
                options: ServerOptions(
                    writing: readOnly ? .never : accounts == nil ? .ifPossible : .always,
                    acceptsAnyArtifact: accept == .any,
                    allowsDeletion: allowDelete,
                    state: access.state.map(FileSystem.absolute)
                ),
                logger: logger,
                tls: tls
            )
            let json = output.json
            let publishers = accounts == nil ? "everybody on this machine" : "holders of a token"
            try await server.run { url, isReadOnly in
                if json {
                    let document: JSONValue = [
                        "url": .string(url), "readOnly": .bool(isReadOnly),
                    ]
                    Console.print(document.prettyText, terminator: "")
                } else {
                    // The URL is alone on its line, for scripts.
                    Console.print(
                        "serving at \(url)\n"
                            + (isReadOnly ? "read-only" : "\(publishers) may publish")
                    )
                }
            }
        } catch {
            throw Failure.show(error, json: output.json)
        }
    }
}
