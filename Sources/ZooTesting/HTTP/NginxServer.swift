// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// An nginx server over a folder, for comparison with a real web server.
package struct NginxServer: Sendable {
    /// The error for nginx failing to start.
    package struct Failure: Error, CustomStringConvertible {
        /// The message.
        package let description: String
    }

    /// The port on 127.0.0.1.
    package let port: Int

    /// The URL of a path on this server.
    package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Runs `body` with an nginx that serves `folder`, and stops nginx before it returns.
    ///
    /// - Parameters:
    ///   - folder: The absolute path of the folder to serve.
    ///   - directives: Additional lines of the `server` block, such as `max_ranges 0;`.
    ///   - body: The closure to run.
    /// - Returns: The result of `body`.
    /// - Throws: ``ChildProcess/Missing`` without nginx, ``Failure`` when it does not start, or the
    ///   error of `body`.
    package static func with<Result>(
        folder: String,
        directives: String = "",
        _ body: (NginxServer) async throws -> Result
    ) async throws -> Result {
        try await TemporaryFolder.with { home in
            let (server, process) = try await start(folder, directives, home: home)
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(server)) } catch { result = .failure(error) }
            await process.kill()
            return try result.get()
        }
    }

    /// Returns a port that was just free, for an additional `listen` directive.
    package static func freePort() throws -> Int { try LoopbackSocket.listening().port }

    /// Starts nginx and retries, because another program may take the selected port.
    private static func start(
        _ folder: String,
        _ directives: String,
        home: TemporaryFolder
    ) async throws -> (NginxServer, ChildProcess) {
        for _ in 1...3 {
            let port = try freePort()
            let text = configuration(port: port, folder: folder, directives: directives, home: home)
            try home.write(Array(text.utf8), to: "nginx.conf")
            let process = try ChildProcess(
                "nginx",
                [
                    "-p", home.path, "-c", home.path(of: "nginx.conf"),
                    "-e", home.path(of: "error.log"), "-g", "daemon off;",
                ]
            )
            for _ in 1...250 where process.isRunning {
                if LoopbackSocket.isListening(on: port) {
                    return (NginxServer(port: port), process)
                }
                // Stop nginx when the test is cancelled here.
                guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { break }
            }
            await process.kill()
        }
        let log = (try? home.read("error.log")) ?? []
        throw Failure(description: "nginx does not start: \(String(decoding: log, as: UTF8.self))")
    }

    private static func configuration(
        port: Int,
        folder: String,
        directives: String,
        home: TemporaryFolder
    ) -> String {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(home.path)/\($0);"
        }
        // A single process runs as the user of the tests and can read their files.
        return """
            master_process off;
            pid \(home.path)/nginx.pid;
            events { worker_connections 256; }
            http {
                access_log off;
                \(temporary.joined(separator: " "))
                default_type application/octet-stream;
                sendfile on;
                server {
                    listen 127.0.0.1:\(port);
                    root "\(folder)";
                    \(directives)
                }
            }
            """
    }
}
