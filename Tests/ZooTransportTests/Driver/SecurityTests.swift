// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("TLS against nginx", .timeLimit(.minutes(1)))
struct SecurityTests {
    private let content = Array("secret".utf8)

    /// Runs `body` with an nginx that speaks TLS under a certificate made for this test, and that has
    /// further lines in its configuration.
    private func withSecureServer(
        _ further: String = "",
        _ body: (_ url: String, _ certificate: String) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(content, to: "files/one")
            let key = folder.path(of: "key.pem")
            let certificate = folder.path(of: "certificate.pem")
            let openssl = try ChildProcess(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
                ]
            )
            try #require(await openssl.status() == 0)
            let other = try NginxServer.freePort()
            let directives = """
                listen 127.0.0.1:\(other) ssl;
                ssl_certificate \(certificate);
                ssl_certificate_key \(key);
                \(further)
                """
            try await NginxServer.with(
                folder: folder.path(of: "files"),
                directives: directives
            ) { _ in
                try await body("https://localhost:\(other)/one", certificate)
            }
        }
    }

    @Test("an authority that the configuration names is trusted")
    func trusted() async throws {
        try await withSecureServer { url, certificate in
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.authorities = .custom(file: certificate, folder: nil)
                }
            )
            let request = StreamRequest(url: url, totalSize: content.count)
            let received = try await transport.bytes(request)
            #expect(received == content)
        }
    }

    @Test("an authority in a folder that the configuration names is trusted")
    func trustedFolder() async throws {
        try await withSecureServer { url, certificate in
            try await TemporaryFolder.with { folder in
                let bytes = try Data(contentsOf: URL(filePath: certificate))
                try folder.write([UInt8](bytes), to: "authority.pem")
                let openssl = try ChildProcess("openssl", ["rehash", folder.path])
                try #require(await openssl.status() == 0)
                let transport = HTTPTransport(
                    configuration: .impatient {
                        $0.authorities = .custom(file: nil, folder: folder.path)
                    }
                )
                let request = StreamRequest(url: url, totalSize: content.count)
                #expect(try await transport.bytes(request) == content)
            }
        }
    }

    @Test(
        "a file of authorities that is missing or holds none is named",
        arguments: ["missing.pem", "empty.pem"]
    )
    func badFile(name: String) async throws {
        try await withSecureServer { url, _ in
            try await TemporaryFolder.with { folder in
                try folder.write([], to: "empty.pem")
                let file = folder.path(of: name)
                let transport = HTTPTransport(
                    configuration: .impatient { $0.authorities = .custom(file: file, folder: nil) }
                )
                let error = await #expect(throws: ZooError(.tlsFailed, "")) {
                    _ = try await transport.document(DocumentRequest(url: url, limit: 100))
                }
                #expect(error?.message.contains(file) == true)
                #expect(error?.remedy?.contains("--ca-file") == true)
            }
        }
    }

    @Test("a TLS connection that is cut after the last byte took none of them away")
    func cutAfterTheEnd() async throws {
        let whole = ServedContent.pattern(count: 300_000)
        try await HostileServer.with { server in
            server.on("/one", .serving(whole).framed(.chunked).resetting(after: 300_000))
            let further = """
                location / {
                    proxy_pass http://127.0.0.1:\(server.port);
                    proxy_http_version 1.1;
                    proxy_buffering off;
                }
                """
            try await withSecureServer(further) { url, certificate in
                // What curl calls a failure: nginx cuts the body that it cannot end.
                let curl = try await ProgramRun("curl", ["-sS", "--cacert", certificate, url])
                #expect([18, 56, 92].contains(curl.status), "\(curl.errors)")
                server.forgetRequests()
                let transport = HTTPTransport(
                    configuration: .impatient {
                        $0.authorities = .custom(file: certificate, folder: nil)
                    }
                )
                let request = StreamRequest(url: url, totalSize: 300_000)
                let received = try await transport.bytes(request)
                #expect(received == whole.bytes)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("an authority that nobody named is not trusted, and no second attempt is made")
    func untrusted() async throws {
        try await withSecureServer { url, _ in
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient { $0.onRetry = { notices.take($0) } }
            )
            let request = DocumentRequest(url: url, limit: 100)
            let code = try await thrownCode { _ = try await transport.document(request) }
            #expect(code == .tlsFailed)
            #expect(notices.all.isEmpty)
        }
    }

    @Test("a certificate for another name is not accepted")
    func otherName() async throws {
        try await withSecureServer { url, certificate in
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.authorities = .custom(file: certificate, folder: nil)
                }
            )
            let numeric = url.replacingOccurrences(of: "localhost", with: "127.0.0.1")
            let request = DocumentRequest(url: numeric, limit: 100)
            let code = try await thrownCode { _ = try await transport.document(request) }
            #expect(code == .tlsFailed)
        }
    }

    @Test("a server that does not speak TLS is not spoken to")
    func plainServer() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(content, to: "one")
            try await NginxServer.with(folder: folder.path) { nginx in
                let url = "https://127.0.0.1:\(nginx.port)/one"
                let transport = HTTPTransport(configuration: .impatient())
                let request = DocumentRequest(url: url, limit: 100)
                let code = try await thrownCode { _ = try await transport.document(request) }
                #expect(code == .tlsFailed)
            }
        }
    }
}
