// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer

/// Files that `openssl` makes, in a folder that is removed afterwards.
private struct Certificates {
    let folder: String
    var certificate: String { "\(folder)/certificate.pem" }
    var key: String { "\(folder)/key.pem" }
    var otherKey: String { "\(folder)/other.pem" }
    var lockedKey: String { "\(folder)/locked.pem" }

    static func with(_ body: (Certificates) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("zoo-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = Certificates(folder: folder)
        try await openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            made.key,
            "-out",
            made.certificate,
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost"
        )
        try await openssl(
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-out",
            made.otherKey
        )
        try await openssl(
            "pkey",
            "-in",
            made.key,
            "-aes256",
            "-passout",
            "pass:secret",
            "-out",
            made.lockedKey
        )
        try await body(made)
    }

    private static func openssl(_ arguments: String...) async throws {
        let result = try await command(["openssl"] + arguments)
        try #require(result.status == 0, "openssl \(arguments)")
    }

    /// Runs `body` beside an HTTPS server.
    static func serve(
        limits: ConnectionLimits = .standard,
        policy: any AccessPolicy = OpenPolicy.everything,
        _ body: (RunningServer, [String]) async throws -> Void
    ) async throws {
        try await with { made in
            let tls = try TLSIdentity(certificate: made.certificate, key: made.key)
            try await RunningServer.with(policy: policy, limits: limits, tls: tls) { server in
                try await body(server, ["--cacert", made.certificate])
            }
        }
    }
}

@Suite("HTTPS")
struct TLSTests {
    @Test("serves files and takes uploads; its URL and its challenges say https")
    func servesFiles() async throws {
        try await Certificates.serve { server, trust in
            #expect(server.url.hasPrefix("https://127.0.0.1:"))
            let content = noise(3 << 20)
            let path = try server.registry.add(blob: content)
            #expect(try await curl(["\(server.url)/\(path)"] + trust).body == content)
            let part = try await curl(["\(server.url)/\(path)", "-r", "70000-"] + trust)
            #expect(part.body == Array(content[70_000...]))
            let file = "\(server.registry.root)/\(path)"
            let upload =
                "\(server.url)/v2/ami/x/blobs/uploads/?digest=\(ContentDigest(of: content))"
            let sent = try await curl([upload, "--data-binary", "@\(file)"] + trust)
            #expect(sent.status == 201)
        }
        try await Certificates.serve(policy: OneOpenNamespace()) { server, trust in
            let reply = try await curl(["\(server.url)/v2/other/x/tags/list"] + trust)
            #expect(reply.status == 401)
            #expect(reply.fields["www-authenticate"] == "Bearer realm=\"\(server.url)/token\"")
        }
    }

    @Test("is what a client that checks certificates can refuse, and not older than TLS 1.2")
    func isChecked() async throws {
        try await Certificates.serve { server, trust in
            let url = "\(server.url)/zoo.json"
            let distrusting = try await command("curl", "-q", "-s", url)
            #expect(distrusting.status == 60)
            let modern = ["curl", "-q", "-s", "--tls-max", "1.2", url]
            let accepted = try await command(modern + trust)
            #expect(accepted.status == 0)
            let old = [
                "curl", "-q", "-s", "--tlsv1.0", "--tls-max", "1.1", "--ciphers",
                "DEFAULT@SECLEVEL=0", url,
            ]
            let refused = try await command(old + trust)
            #expect(refused.status == 35)
        }
    }

    @Test("survives clients that speak HTTP, nonsense or nothing")
    func survivesOthers() async throws {
        var limits = ConnectionLimits.standard
        limits.idle = .milliseconds(300)
        try await Certificates.serve(limits: limits) { server, trust in
            let plain = try await raw("GET /zoo.json HTTP/1.1\r\nHost: a\r\n\r\n", to: server.url)
            #expect(plain.status == 0)
            #expect(!plain.text.contains("ami-zoo.registry"))
            #expect(try await raw([22, 3, 1, 255, 255] + noise(999), to: server.url).status == 0)
            #expect(try await raw("", to: server.url).status == 0)
            #expect(try await curl(["\(server.url)/zoo.json"] + trust).status == 200)
        }
    }

    @Test("lets running requests finish when it stops")
    func drains() async throws {
        try await Certificates.serve { server, trust in
            let path = try server.registry.add(zeros: 16 << 20)
            let slow = ["curl", "-q", "-s", "--limit-rate", "5M", "\(server.url)/\(path)"]
            async let download = command(slow + trust)
            #expect(try await server.eventually { try server.registry.openFiles() == 1 })
            try await server.stop()
            #expect(try await download.output.count == 16 << 20)
        }
    }

    @Test("names the file that is wrong")
    func refusesFiles() async throws {
        try await Certificates.with { made in
            let empty = "\(made.folder)/empty.pem"
            try Data().write(to: URL(fileURLWithPath: empty))
            let missing = "\(made.folder)/missing.pem"
            for (certificate, key, code, named) in [
                (missing, made.key, "server.tls-file-unreadable", missing),
                (made.certificate, missing, "server.tls-file-unreadable", missing),
                (made.folder, made.key, "server.tls-file-unreadable", made.folder),
                (empty, made.key, "server.tls-file-invalid", empty),
                (made.key, made.key, "server.tls-file-invalid", made.key),
                (made.certificate, empty, "server.tls-file-invalid", empty),
                (made.certificate, made.certificate, "server.tls-file-invalid", made.certificate),
                (made.certificate, made.lockedKey, "server.tls-file-invalid", made.lockedKey),
                (made.certificate, made.otherKey, "server.tls-key-mismatch", made.otherKey),
            ] {
                let error = #expect(throws: ZooError.self) {
                    _ = try TLSIdentity(certificate: certificate, key: key)
                }
                #expect(error?.code.rawValue == code)
                #expect(error?.message.contains("'\(named)'") == true, "\(error?.message ?? "")")
                #expect(error?.remedy != nil)
            }
        }
    }

    @Test("converts a key as the remedy says")
    func convertsKey() async throws {
        try await Certificates.with { made in
            let open = "\(made.folder)/open.pem"
            let converted = try await command(
                "openssl",
                "pkey",
                "-in",
                made.lockedKey,
                "-passin",
                "pass:secret",
                "-out",
                open
            )
            #expect(converted.status == 0)
            _ = try TLSIdentity(certificate: made.certificate, key: open)
        }
    }
}
