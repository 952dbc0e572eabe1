// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import Logging
internal import ZooCore
internal import ZooFiles
internal import ZooServer

/// `ami-zoo serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a registry folder over HTTP, read-only.",
        discussion: "Prints its address when it accepts connections. Stops on SIGINT or SIGTERM."
    )

    @Option(help: "The registry folder to serve.")
    var root: String

    @Option(help: "HOST:PORT to listen on; port 0 picks a free port.")
    var listen: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        do {
            var logger = Logger(label: "ami-zoo.serve") {
                StreamLogHandler.standardError(label: $0)
            }
            logger.logLevel = output.quiet ? .error : output.verbose ? .info : .warning
            let server = RegistryServer(
                root: FileSystem.absolute(root),
                address: try listen.map(ListenAddress.init(parsing:)) ?? .standard,
                logger: logger
            )
            let json = output.json
            try await server.run { url in
                if json {
                    let document: JSONValue = ["url": .string(url)]
                    Console.print(document.prettyText, terminator: "")
                } else {
                    Console.print("serving at \(url)")
                }
            }
        } catch {
            throw Failure.show(error, json: output.json)
        }
    }
}
