// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

@Suite("The network, as the program meets it", .timeLimit(.minutes(3)))
struct NetworkTests {
    private static let networkCommands = ["pull", "list", "show", "versions", "import"]

    /// Runs the program with variables on top of those of its tests, and without some.
    private func run(
        _ arguments: [String],
        _ zoo: Program,
        with environment: [String: String] = [:],
        without missing: [String] = []
    ) async throws -> ProgramRun {
        try await ProgramRun(
            "env",
            missing.flatMap { ["-u", $0] } + [Program.executable] + arguments,
            environment: zoo.environment.merging(environment) { $1 }
        )
    }

    /// Runs `body` with the embedded registry behind TLS, under a certificate made for this test.
    private func withSecureRegistry(
        _ body: (_ address: String, _ certificate: String) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let (key, certificate) = (folder.path(of: "key.pem"), folder.path(of: "ca.pem"))
            let openssl = try await ProgramRun(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
                ]
            )
            try #require(openssl.status == 0, "\(openssl.errors)")
            let port = try NginxServer.freePort()
            let directives = """
                listen 127.0.0.1:\(port) ssl;
                ssl_certificate \(certificate);
                ssl_certificate_key \(key);
                """
            try await NginxServer.with(folder: Program.embedded, directives: directives) { _ in
                try await body("https://localhost:\(port)", certificate)
            }
        }
    }

    @Test("every command that uses the network has the same options for it")
    func optionsEverywhere() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            for command in Self.networkCommands {
                let help = try await zoo(command, "--help").output
                for option in ["--ca-file", "--timeout", "--max-rate", "--connections"] {
                    #expect(help.contains(option), "\(command) \(option)")
                }
            }
        }
    }

    @Test(
        "values without a meaning are refused before anything is asked",
        arguments: [
            ["--timeout", "0"], ["--timeout", "soon"], ["--timeout", "1e9"], ["--timeout", "nan"],
            ["--connections", "0"], ["--connections", "65"], ["--max-rate", "0"],
            ["--max-rate", "5X"], ["--max-rate", "K"], ["--max-rate", "-5M"],
            ["--max-rate", "0x100000"], ["--max-rate", "1023"], ["--max-rate", "9999999G"],
        ]
    )
    func oddValues(option: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let run = try await run(["list"] + option, Program(in: folder))
            #expect(run.status == 64, "\(run.errors)")
            #expect(run.errors.contains(option[0]))
        }
    }

    @Test("a host that does not exist is said to be unknown")
    func unknownHost() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let arguments = ["list", "--registry", "http://zoo.invalid", "--timeout", "3"]
            let run = try await run(arguments + ["--json"], zoo)
            #expect(run.status == 69)
            #expect(run.errorCode == "transport.host-unknown")
        }
    }

    @Test("a certificate authority is trusted through --ca-file and the usual variables only")
    func authorities() async throws {
        let variables = ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]
        try await withSecureRegistry { address, certificate in
            try await TemporaryFolder.with { folder in
                let zoo = Program(in: folder)
                let list = ["list", "--registry", address]
                let untrusted = try await run(list, zoo, without: variables)
                #expect(untrusted.status == 69)
                #expect(untrusted.errors.contains("[transport.tls-failed]"))
                #expect(untrusted.errors.contains("--ca-file"))

                // What the remedy says, tried.
                let option = list + ["--ca-file", certificate]
                #expect(try await run(option, zoo, without: variables).status == 0)
                // The option comes before a variable that names something else.
                let other = ["CURL_CA_BUNDLE": "/nowhere"]
                #expect(try await run(option, zoo, with: other).status == 0)
                for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
                    let others = variables.filter { $0 != name }
                    let found = try await run(list, zoo, with: [name: certificate], without: others)
                    #expect(found.status == 0, "\(name): \(found.errors)")
                }
                try folder.write(
                    [UInt8](try Data(contentsOf: URL(filePath: certificate))),
                    to: "authorities/ca.pem"
                )
                let authorities = folder.path(of: "authorities")
                #expect(try await ProgramRun("openssl", ["rehash", authorities]).status == 0)
                let found = try await run(
                    list,
                    zoo,
                    with: ["SSL_CERT_DIR": authorities],
                    without: ["CURL_CA_BUNDLE", "SSL_CERT_FILE"]
                )
                #expect(found.status == 0, "\(found.errors)")

                let missing = try await run(list + ["--ca-file", "/nowhere", "--json"], zoo)
                #expect(missing.status == 66)
                #expect(missing.errorCode == "io.not-found")
            }
        }
    }

    @Test("a proxy that refuses is named, and the remedy of a missing login works")
    func proxies() async throws {
        try await TemporaryFolder.with { folder in
            try await HostileServer.with { proxy in
                let zoo = Program(in: folder)
                proxy.on("zoo.example:443", .status(403))
                let list = ["list", "--registry", "https://zoo.example"]
                let variables = ["https_proxy": proxy.url(""), "no_proxy": ""]
                let refused = try await run(list, zoo, with: variables)
                #expect(refused.status == 77)
                #expect(refused.errors.contains("the proxy \(proxy.url("")) answered 403"))
                #expect(refused.errors.contains("[transport.proxy-refused]"))
                #expect(proxy.requests.count == 1)

                proxy.on("zoo.example:443", .status(407))
                let login = try await run(list, zoo, with: variables)
                #expect(login.status == 77)
                #expect(login.errors.contains("[transport.proxy-login-required]"))
                let address = "http://USER:PASSWORD@127.0.0.1:\(proxy.port)"
                _ = try await run(list, zoo, with: ["https_proxy": address, "no_proxy": ""])
                #expect(proxy.requests.last?.headers["proxy-authorization"] != nil)
            }
        }
    }

    @Test("a portal's page is named with its address")
    func portal() async throws {
        try await TemporaryFolder.with { folder in
            try await HostileServer.with { server in
                let page = ServedContent(Array("<!DOCTYPE html><title>Login</title>".utf8))
                server.on("/index.json", .redirect(to: "/login", status: 302))
                server.on("/login", .serving(page).header("Content-Type", "text/html"))
                let run = try await Program(in: folder)("list", "--registry", server.url(""))
                #expect(run.status == 69)
                #expect(run.errors.contains("from \(server.url("/login")) [transport.web-page]"))
            }
        }
    }

    @Test("a server that says nothing is given up after --timeout")
    func timeout() async throws {
        try await TemporaryFolder.with { folder in
            try await HostileServer.with { server in
                let silence = ServedContent([1, 2, 3])
                server.on("/index.json", .serving(silence).stalling(after: 0, for: .seconds(60)))
                let zoo = Program(in: folder)
                let start = ContinuousClock.now
                let run = try await run(
                    ["list", "--registry", server.url(""), "--timeout", "2", "--json"],
                    zoo
                )
                #expect(run.status == 69)
                #expect(run.errorCode == "transport.stalled")
                #expect(ContinuousClock.now - start > .seconds(2))
                #expect(ContinuousClock.now - start < .seconds(8))
            }
        }
    }

    @Test("a pull keeps to its speed limit and its number of connections")
    func limits() async throws {
        try await TemporaryFolder.with { folder in
            try await HostileServer.with { server in
                server.serve(folder: Program.embedded)
                let zoo = Program(in: folder)
                // 4 MiB a second for the 5.6 MB of the model.
                let start = ContinuousClock.now
                let run = try await run(
                    [
                        "pull", "ami/ball-drop", "--registry", server.url(""), "--json",
                        "--max-rate", "4M", "--connections", "1",
                    ],
                    zoo
                )
                #expect(run.status == 0, "\(run.errors)")
                #expect(ContinuousClock.now - start > .seconds(1))
                #expect(Set(server.requests.map(\.connection)).count == 1)
            }
        }
    }

    @Test("an offline pull of what is installed looks for no registry")
    func offline() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            #expect(try await zoo("pull", "ami/ball-drop").status == 0)
            let unusable = ["AMI_ZOO_REGISTRY": "ftp://example.org"]
            let pull = ["pull", "ami/ball-drop", "--json"]
            let online = try await run(pull, zoo, with: unusable)
            #expect(online.errorCode == "registry.address-invalid")
            let offline = try await run(pull + ["--offline"], zoo, with: unusable)
            #expect(offline.status == 0, "\(offline.errors)")
            #expect(try offline.document.value("alreadyInstalled") == .bool(true))
            let missing = try await run(
                ["pull", "ami/nothing", "--offline", "--json"],
                zoo,
                with: unusable
            )
            #expect(missing.status == 69)
            #expect(missing.errorCode == "registry.offline")
        }
    }

    @Test("without a home folder the store is refused, not put into the current folder")
    func noHome() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            for (variables, missing) in [
                ([:], ["HOME", "XDG_DATA_HOME", "AMI_ZOO_HOME"]),
                (["HOME": "", "XDG_DATA_HOME": ""], ["AMI_ZOO_HOME"]),
                (["HOME": "relative", "XDG_DATA_HOME": "relative", "AMI_ZOO_HOME": ""], []),
            ] as [([String: String], [String])] {
                for command in [
                    ["pull", "ami/ball-drop"], ["list"], ["cache", "ls"], ["cache", "du"],
                    ["verify", "ami/ball-drop"],
                ] {
                    let run = try await run(
                        command + ["--json"],
                        zoo,
                        with: variables,
                        without: missing
                    )
                    #expect(run.status == 74, "\(command) \(variables)")
                    #expect(run.errorCode == "environment.no-home", "\(command) \(variables)")
                }
                // What needs no store works.
                let show = try await run(
                    ["show", "ami/ball-drop"],
                    zoo,
                    with: variables,
                    without: missing
                )
                #expect(show.status == 0, "\(show.errors)")
            }
            #expect(!FileManager.default.fileExists(atPath: ".local"))
            #expect(!FileManager.default.fileExists(atPath: "relative"))
        }
    }

    @Test("XDG folders count when they are absolute, as their specification says")
    func folders() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let home = folder.path(of: "home")
            func root(_ data: String) async throws -> String {
                let variables = ["HOME": home, "XDG_DATA_HOME": data, "AMI_ZOO_HOME": ""]
                return try await run(["cache", "ls", "--json"], zoo, with: variables).text("root")
            }
            #expect(try await root("/somewhere") == "/somewhere/ami-zoo")
            for data in ["", "relative", "./relative"] {
                #expect(try await root(data) == "\(home)/.local/share/ami-zoo")
            }

            try folder.write(
                Array(#"{"registry": "ftp://configured"}"#.utf8),
                to: "home/.config/ami-zoo/config.json"
            )
            for config in ["", "relative"] {
                let list = try await run(
                    ["list", "--json"],
                    zoo,
                    with: ["HOME": home, "XDG_CONFIG_HOME": config, "AMI_ZOO_REGISTRY": ""]
                )
                #expect(list.errorCode == "registry.address-invalid")
                #expect(list.output.contains("ftp://configured"))
            }
        }
    }
}
