// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore
import ZooTesting
import ZooTransport

/// Programs that keep credentials for Docker and Podman, played by shell scripts.
@Suite struct CredentialHelperTests {
    private let credentials = RegistryCredentials(user: "somebody", secret: "correct horse")

    /// Writes a helper and a configuration, and looks up a host.
    private func lookUp(
        _ host: String = "a.example",
        _ configuration: String = #"{"credHelpers":{"a.example":"test"}}"#,
        script: String?,
        patience: Duration = .seconds(20)
    ) async throws -> RegistryCredentials? {
        try await TemporaryFolder.with { folder in
            try folder.write(Array(configuration.utf8), to: "config.json")
            if let script {
                try folder.write(
                    Array("#!/bin/sh\n\(script)\n".utf8),
                    to: "bin/docker-credential-test"
                )
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755],
                    ofItemAtPath: folder.path(of: "bin/docker-credential-test")
                )
            }
            return try ContainerCredentials(
                path: folder.path(of: "config.json"),
                helperFolders: ["relative", folder.path(of: "bin")],
                patience: patience
            ).credentials(of: host)
        }
    }

    /// The protocol: `get`, the host on standard input, JSON on standard output.
    private let keeper = """
        read -r host
        [ "$1 $host" = "get a.example" ] || { echo 'credentials not found in native keychain'; exit 1; }
        echo '{"ServerURL":"a.example","Username":"somebody","Secret":"correct horse"}'
        """

    @Test(arguments: [
        #"{"credHelpers":{"a.example":"test"}}"#,
        #"{"credsStore":"test","auths":{"a.example":{}}}"#,
        // 'd3Jvbmc6cGFpcg==' is another pair: the helper of the host is asked first.
        #"{"credHelpers":{"a.example":"test"},"auths":{"a.example":{"auth":"d3Jvbmc6cGFpcg=="}}}"#,
    ])
    func aHelperIsAsked(configuration: String) async throws {
        #expect(try await lookUp("a.example", configuration, script: keeper) == credentials)
        #expect(try await lookUp("b.example", configuration, script: keeper) == nil)
    }

    @Test(arguments: [
        "echo 'the keyring is locked: correct horse'; exit 1", "exit 2", "kill -9 $$",
        "echo 'correct horse'", #"echo '{"Username":"correct horse"}'"#, "exit 0",
        "head -c 200000 /dev/zero | tr '\\0' x",
    ])
    func aHelperThatFailsIsReported(script: String) async throws {
        let error = try #require(
            await #expect(throws: ZooError.self) { _ = try await lookUp(script: script) }
        )
        #expect(error.code == .helperFailed)
        #expect(!"\(error)".contains("horse"))
    }

    /// The sleeping grandchild keeps the pipe open when the helper is gone.
    @Test(arguments: ["sleep 30", "trap '' TERM; sleep 30; echo", "while :; do :; done"])
    func aHelperThatHangsIsEnded(script: String) async throws {
        let start = ContinuousClock.now
        await #expect(throws: ZooError(.helperFailed, "")) {
            _ = try await lookUp(script: script, patience: .milliseconds(500))
        }
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func whatAHelperLeavesRunningIsNotWaitedFor() async throws {
        let start = ContinuousClock.now
        #expect(try await lookUp(script: "sleep 30 &\n\(keeper)") == credentials)
        #expect(ContinuousClock.now - start < .seconds(15))
    }

    @Test func aMissingHelperOfThisRegistryIsReported() async throws {
        await #expect(throws: ZooError(.helperFailed, "")) { _ = try await lookUp(script: nil) }
        #expect(try await lookUp("a.example", #"{"credsStore":"test"}"#, script: nil) == nil)
    }

    @Test(arguments: ["../test", "te st", "test;x"])
    func aNameThatIsNoNameIsRefused(name: String) async throws {
        await #expect(throws: ZooError(.helperFailed, "")) {
            let configuration = #"{"credHelpers":{"a.example":"\#(name)"}}"#
            _ = try await lookUp("a.example", configuration, script: keeper)
        }
    }
}
