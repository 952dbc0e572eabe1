// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Glibc
import Testing
import ZooTesting

private let nginx = "/usr/sbin/nginx"

@Suite("Beside nginx over the same folder")
struct NginxComparisonTests {
    @Test(
        "ranges mean the same where RFC 9110 leaves no choice",
        .enabled(if: FileManager.default.isExecutableFile(atPath: nginx), "needs nginx")
    )
    func agreesWithNginx() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: noise(300_000))
            let folder = server.registry.root
            let socket = "\(folder)/nginx.socket"
            let configuration = """
                daemon off; master_process off; pid \(folder)/nginx.pid; error_log stderr crit;
                events {}
                http {
                    access_log off; types {} default_type application/octet-stream;
                    server { listen unix:\(socket); root \(folder); }
                }
                """
            try server.registry.write(Array(configuration.utf8), at: "nginx.conf")
            let peer = try ChildProcess(nginx, ["-c", "\(folder)/nginx.conf", "-p", folder])
            defer { peer.signal(SIGKILL) }
            #expect(
                try await server.eventually { FileManager.default.fileExists(atPath: socket) }
            )

            let requests = [
                [], ["-I"], ["-r", "0-0"], ["-r", "0-9"], ["-r", "5-"], ["-r", "-7"],
                ["-r", "-300000"], ["-r", "-400000"], ["-r", "299999-"], ["-r", "299999-400000"],
                ["-r", "300000-"], ["-H", "Range: items=0-9"],
                ["-H", "Range: BYTES=1-2"], ["-r", "0-9", "-H", "If-Range: \"other\""],
                ["-H", "If-None-Match: *"], ["-H", "If-Match: \"other\""],
                ["-H", "If-Match: *", "-r", "7-8"],
            ]
            for request in requests {
                let arguments = ["curl", "-q", "-s", "-i", "--max-time", "5"] + request
                let ours = try await command(arguments + ["\(server.url)/\(path)"])
                let theirs = try await command(
                    arguments + ["--unix-socket", socket, "http://localhost/\(path)"]
                )
                let our = try #require(Reply(ours.output), "\(request)")
                let their = try #require(Reply(theirs.output), "\(request)")
                #expect(our.status == their.status, "\(request)")
                #expect(our.fields["content-range"] == their.fields["content-range"], "\(request)")
                if our.status < 300 {
                    #expect(our.body == their.body, "\(request)")
                    #expect(
                        our.fields["content-length"] == their.fields["content-length"],
                        "\(request)"
                    )
                }
            }
        }
    }
}
