// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// Docker's registry (the Debian package `docker-registry`), for tests against another OCI registry.
package struct DockerRegistryServer: Sendable {
    /// The error for the registry failing to start.
    package struct Failure: Error {}

    /// How clients log in.
    package enum Login: Sendable {
        /// Not at all.
        case none
        /// With the user `somebody` and the password `correct horse`.
        case basic
    }

    /// The port on 127.0.0.1.
    package let port: Int

    /// The base URL.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Whether the program is installed.
    package static var isInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/docker-registry")
    }

    /// Runs `body` with an empty registry, and stops it before it returns.
    ///
    /// - Parameters:
    ///   - login: How clients log in.
    ///   - body: The closure to run.
    /// - Returns: The result of `body`.
    /// - Throws: ``Failure`` when the registry does not start, or the error of `body`.
    package static func with<Result>(
        login: Login = .none,
        _ body: (DockerRegistryServer) async throws -> Result
    ) async throws -> Result {
        try await TemporaryFolder.with { home in
            let (server, process) = try await start(login, home: home)
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(server)) } catch { result = .failure(error) }
            await process.kill()
            return try result.get()
        }
    }

    private static func start(
        _ login: Login,
        home: TemporaryFolder
    ) async throws -> (DockerRegistryServer, ChildProcess) {
        // crypt("correct horse", "$2b$05$abcdefghijklmnopqrstuu") of libxcrypt.
        let hash = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
        try home.write(Array("somebody:\(hash)\n".utf8), to: "htpasswd")
        for _ in 1...3 {
            let port = try NginxServer.freePort()
            var text = """
                version: 0.1
                log: {level: error, accesslog: {disabled: true}}
                storage:
                  filesystem: {rootdirectory: "\(home.path(of: "data"))"}
                  delete: {enabled: true}
                http: {addr: "127.0.0.1:\(port)"}

                """
            if login == .basic {
                text += "auth: {htpasswd: {realm: test, path: \"\(home.path(of: "htpasswd"))\"}}\n"
            }
            try home.write(Array(text.utf8), to: "config.yml")
            let process = try ChildProcess(
                "docker-registry",
                ["serve", home.path(of: "config.yml")]
            )
            for _ in 1...250 where process.isRunning {
                if LoopbackSocket.isListening(on: port) {
                    return (DockerRegistryServer(port: port), process)
                }
                // Stop the registry when the test is cancelled here.
                guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
            }
            await process.kill()
        }
        throw Failure()
    }
}
