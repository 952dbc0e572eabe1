// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A real web server over a folder, for what only a real one shows.
package struct NginxServer: Sendable {
    /// Why nginx does not serve.
    package struct Failure: Error, CustomStringConvertible {
        /// What to read.
        package let description: String
    }

    /// The port it listens on, at 127.0.0.1.
    package let port: Int

    /// The URL of a path on this server.
    package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Runs `body` with an nginx that serves `folder`, and stops it before returning.
    ///
    /// - Parameters:
    ///   - folder: The absolute path of the folder to serve.
    ///   - directives: Further lines for the `server` block, such as `max_ranges 0;`.
    ///   - body: What to do meanwhile.
    /// - Returns: What `body` returns.
    /// - Throws: ``ChildProcess/Missing`` without nginx, ``Failure`` when it does not start, or what
    ///   `body` throws.
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

    /// A port that was free a moment ago, for a further `listen` directive.
    package static func freePort() throws -> Int { try LoopbackSocket.listening().port }

    /// Starts nginx; another program may take the port that was free a moment ago, so it retries.
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
                // A test that is cancelled here must not leave its nginx behind.
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
        // One process: it runs as whoever runs the tests and can read what they have written.
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
