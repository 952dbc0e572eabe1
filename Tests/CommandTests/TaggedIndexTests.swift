// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Yanks and channels in a registry that is not `ami-zoo serve`: under the tag `_index`.
@Suite(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
struct TaggedIndexTests {
    private let model = "ami/ball-drop"

    /// Docker's registry with the versions 1.0.0 and 1.1.0, and the program that changes it.
    private struct Place {
        let zoo: Program
        let server: DockerRegistryServer
        let folder: TemporaryFolder

        var host: String { String(server.url.dropFirst("http://".count)) }

        func callAsFunction(_ arguments: String...) async throws -> ProgramRun {
            try await ProgramRun(
                Program.executable,
                arguments + ["--registry", server.url, "--json"],
                environment: zoo.environment
            )
        }

        func skopeo(_ arguments: String...) async throws {
            let run = try await ProgramRun("skopeo", arguments)
            try #require(run.status == 0, "\(arguments): \(run.errors)")
        }

        /// Copies a tag within the registry, or a version of the embedded registry into it.
        func copy(_ source: String, to destination: String) async throws {
            let isTag = source.contains("_index")
            try await skopeo(
                "copy",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
                "--preserve-digests",
                isTag ? "docker://\(host)/\(source)" : "oci:\(Program.embedded):\(source)",
                "docker://\(host)/\(destination)"
            )
        }

        /// Pushes bytes in the place of an index document.
        func push(_ document: [UInt8], as name: String) async throws {
            func write(_ bytes: [UInt8], _ type: String) throws -> JSONValue {
                let digest = ContentDigest(of: bytes)
                try folder.write(bytes, to: "layout/blobs/sha256/\(digest.hex)")
                return Descriptor(mediaType: type, digest: digest, size: bytes.count).json
            }
            let manifest: JSONValue = [
                "schemaVersion": 2,
                "mediaType": .string(ArtifactManifest.manifestType),
                "config": try write(Array("{}".utf8), "application/vnd.oci.empty.v1+json"),
                "layers": [try write(document, IndexDocument.mediaType)],
            ]
            let index: JSONValue = [
                "schemaVersion": 2,
                "manifests": [
                    try write(manifest.canonicalBytes, ArtifactManifest.manifestType)
                ],
            ]
            try folder.write(index.canonicalBytes, to: "layout/index.json")
            try folder.write(
                Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8),
                to: "layout/oci-layout"
            )
            try await skopeo(
                "copy",
                "--dest-tls-verify=false",
                "oci:\(folder.path(of: "layout"))",
                "docker://\(host)/\(name):_index"
            )
        }

        /// What `versions` says: a line for each version, the newest first.
        func versions(_ name: String = "ami/ball-drop") async throws -> [String] {
            let run = try await self("versions", name)
            try #require(run.status == 0, "\(run.output)")
            return try run.document.objects("versions", maximum: 10).map { version in
                let reason = try version.optionalObject("yanked")?.string("reason")
                let channels = try version.strings("channels", maximum: 10)
                return "\(try version.string("version")) \(channels) \(reason ?? "-")"
            }
        }
    }

    private func with(
        _ versions: [String] = ["1.0.0", "1.1.0"],
        _ body: (Place) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            try await DockerRegistryServer.with { server in
                let place = Place(zoo: Program(in: folder), server: server, folder: folder)
                for version in versions {
                    try await place.copy("\(model):\(version)", to: "\(model):\(version)")
                }
                try await body(place)
            }
        }
    }

    @Test func aVersionIsYankedAndTakenBack() async throws {
        try await with { registry in
            let newest = "\(model):1.1.0"
            let yank = try await registry("yank", newest, "--reason", "wrong units")
            try #require(yank.status == 0, "\(yank.output)")
            #expect(yank.output.contains("wrong units"))
            let expected = [#"1.1.0 ["stable"] wrong units"#, #"1.0.0 ["stable"] -"#]
            #expect(try await registry.versions() == expected)
            #expect(try await registry("show", newest).text("yanked") == "wrong units")
            #expect(try await registry("pull", model).text("reference") == "\(model):1.0.0")
            let exact = try await registry("pull", newest)
            #expect(exact.status == 0)
            #expect(exact.errors.contains("wrong units"))
            // The date of a yank does not change with the same reason.
            let again = try await registry("yank", newest, "--reason", "wrong units")
            #expect(try again.document.value("yanked") == yank.document.value("yanked"))
            #expect(try await registry("yank", "\(model):1.0.0", "--reason", "old").status == 0)
            let hidden = try await registry("pull", model)
            #expect(hidden.errorCode == "registry.version-not-found")

            for version in ["1.0.0", "1.1.0"] {
                #expect(try await registry("unyank", "\(model):\(version)").status == 0)
            }
            #expect(try await registry("pull", model).text("reference") == newest)
        }
    }

    @Test func channelsMove() async throws {
        try await with { registry in
            let add = try await registry("channel", model, "tested", "--add", "1.0.0")
            try #require(add.status == 0, "\(add.output)")
            #expect(try add.document.value("versions") == ["1.0.0"])
            #expect(
                try await registry("pull", "\(model):tested").text("reference")
                    == "\(model):1.0.0"
            )
            #expect(try await registry("channel", model, "stable", "--remove", "1.1.0").status == 0)
            #expect(
                try await registry.versions()
                    == ["1.1.0 [] -", #"1.0.0 ["stable", "tested"] -"#]
            )
        }
    }

    @Test func whatIsNotMeantIsRefused() async throws {
        try await with(["1.0.0"]) { registry in
            let other = "\(model):1.0.0@sha256:\(String(repeating: "0", count: 64))"
            for (arguments, code) in [
                (("unyank", "\(model):9.0.0"), "registry.version-not-found"),
                (("unyank", "ami/other:1.0.0"), "registry.model-not-found"),
                (("unyank", other), "registry.digest-mismatch"),
                // Nothing changes, so nothing is written.
                (("unyank", "\(model):1.0.0"), nil),
            ] {
                let run = try await registry(arguments.0, arguments.1)
                #expect(run.errorCode == code, "\(arguments): \(run.output)")
            }
            let empty = try await registry("yank", "\(model):1.0.0", "--reason", "")
            #expect(empty.errorCode == "format.field-invalid")
            let tag = try await ProgramRun(
                "skopeo",
                [
                    "inspect", "--raw", "--tls-verify=false",
                    "docker://\(registry.host)/\(model):_index",
                ]
            )
            #expect(tag.status != 0)
        }
    }

    @Test func changesAtOnceAreAllKept() async throws {
        try await with { registry in
            for round in 0..<3 {
                let channel = "c\(round)"
                async let first = registry("yank", "\(model):1.0.0", "--reason", "a\(round)")
                async let second = registry("yank", "\(model):1.1.0", "--reason", "b\(round)")
                async let third = registry("channel", model, channel, "--add", "1.0.0")
                async let fourth = registry("channel", model, channel, "--add", "1.1.0")
                let runs = try await [first, second, third, fourth]
                #expect(runs.map(\.status) == [0, 0, 0, 0], "\(runs.map(\.output))")
                let channels = (0...round).map { "c\($0)" } + ["stable"]
                #expect(
                    try await registry.versions()
                        == ["1.1.0 \(channels) b\(round)", "1.0.0 \(channels) a\(round)"]
                )
            }
        }
    }

    /// Another client writes the old document back, as often as it can.
    @Test func aChangeThatNeverStaysIsAnError() async throws {
        try await with { registry in
            #expect(try await registry("yank", "\(model):1.0.0", "--reason", "old").status == 0)
            let script = """
                type=application/vnd.oci.image.manifest.v1+json
                curl -sf -H "Accept: $type" "$1" -o "$2" || exit 1
                while curl -sf -X PUT -H "Content-Type: $type" --data-binary "@$2" "$1"; do
                    sleep 0.1
                done
                """
            let other = try ChildProcess(
                "sh",
                [
                    "-c", script, "sh", "\(registry.server.url)/v2/\(model)/manifests/_index",
                    registry.folder.path(of: "manifest"),
                ]
            )
            let run = try await registry("yank", "\(model):1.1.0", "--reason", "wrong")
            #expect(other.isRunning)
            await other.kill()
            #expect(run.status == 69)
            #expect(run.errorCode == "registry.index-busy", "\(run.output)")
            let expected = [#"1.1.0 ["stable"] -"#, #"1.0.0 ["stable"] old"#]
            #expect(try await registry.versions() == expected)
            #expect(try await registry("yank", "\(model):1.1.0", "--reason", "wrong").status == 0)
        }
    }

    /// Neither `publish` nor another program changes the index document.
    @Test(arguments: [true, false])
    func aVersionThatIsPublishedAfterwardsIsVisible(byOthers: Bool) async throws {
        try await with(["1.0.0"]) { registry in
            let yank = try await registry("yank", "\(model):1.0.0", "--reason", "old")
            try #require(yank.status == 0, "\(yank.output)")
            if byOthers {
                try await registry.copy("\(model):1.1.0", to: "\(model):1.1.0")
            } else {
                #expect(try await registry("publish", Program.embedded).status == 0)
            }
            // A release under the tag of another version is none.
            try await registry.copy("\(model):1.1.0", to: "\(model):2.0.0")
            let expected = [#"1.1.0 ["stable"] -"#, #"1.0.0 ["stable"] old"#]
            #expect(try await registry.versions() == expected)
            #expect(try await registry("pull", model).text("reference") == "\(model):1.1.0")
            let channel = try await registry("channel", model, "tested", "--add", "1.1.0")
            #expect(channel.status == 0, "\(channel.output)")
            #expect(
                try await registry.versions()
                    == [#"1.1.0 ["stable", "tested"] -"#, #"1.0.0 ["stable"] old"#]
            )
        }
    }

    @Test func skopeoCopiesTheIndexDocument() async throws {
        try await with { registry in
            let yank = try await registry("yank", "\(model):1.1.0", "--reason", "wrong")
            try #require(yank.status == 0, "\(yank.output)")
            try await DockerRegistryServer.with { server in
                let copy = Place(zoo: registry.zoo, server: server, folder: registry.folder)
                try await copy.skopeo(
                    "sync",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                    "--preserve-digests",
                    "--src=docker",
                    "--dest=docker",
                    "\(registry.host)/\(model)",
                    "\(copy.host)/ami"
                )
                #expect(try await copy.versions() == registry.versions())
                #expect(try await copy("pull", model).text("reference") == "\(model):1.0.0")
            }
        }
    }

    /// A tag that is something else is reported, and not replaced.
    @Test func aTagThatIsNoIndexDocumentIsAnError() async throws {
        try await with { registry in
            #expect(try await registry("yank", "\(model):1.1.0", "--reason", "x").status == 0)
            try await registry.copy("\(model):_index", to: "ami/other:_index")
            try await registry.copy("\(model):1.0.0", to: "ami/release:_index")
            try await registry.push(Array("{}".utf8), as: "ami/empty")
            for (name, code) in [
                ("ami/empty", "format.field-invalid"),
                ("ami/other", "registry.release-inconsistent"),
                ("ami/release", "registry.index-invalid"),
            ] {
                for run in [
                    try await registry("versions", name),
                    try await registry("pull", name),
                    try await registry("yank", "\(name):1.0.0", "--reason", "x"),
                ] {
                    #expect(run.status == 65)
                    #expect(run.errorCode == code, "\(run.output)")
                    #expect(run.output.contains("_index"))
                }
            }
            // The remedy: without the tag, tags say what there is.
            try await registry.copy("\(model):1.1.0", to: "\(model):_index")
            #expect(try await registry("versions", model).errorCode == "registry.index-invalid")
            try await registry.skopeo(
                "delete",
                "--tls-verify=false",
                "docker://\(registry.host)/\(model):_index"
            )
            // Docker's registry deletes the manifest with all its tags, so the version went with it.
            #expect(try await registry.versions() == [#"1.0.0 ["stable"] -"#])
        }
    }

    /// A version whose manifest is gone stays listed, and the others work.
    @Test func aVersionThatIsGoneDoesNotBreakTheOthers() async throws {
        try await with { registry in
            let yank = try await registry("yank", "\(model):1.0.0", "--reason", "old")
            try #require(yank.status == 0, "\(yank.output)")
            try await registry.skopeo(
                "delete",
                "--tls-verify=false",
                "docker://\(registry.host)/\(model):1.1.0"
            )
            let expected = [#"1.1.0 ["stable"] -"#, #"1.0.0 ["stable"] old"#]
            #expect(try await registry.versions() == expected)
            let gone = try await registry("pull", model)
            #expect(gone.status == 66)
            #expect(gone.errorCode == "registry.blob-missing", "\(gone.output)")
            #expect(try await registry("pull", "\(model):1.0.0").status == 0)
            #expect(try await registry("yank", "\(model):1.1.0", "--reason", "lost").status == 0)
            // The same release completes the version.
            #expect(try await registry("publish", Program.embedded).status == 0)
            #expect(try await registry("pull", "\(model):1.1.0").status == 0)
        }
    }

    /// A web server without the OCI API says where the change can be made.
    @Test func aWebServerDoesNotChangeVersions() async throws {
        try await TemporaryFolder.with { folder in
            try await NginxServer.with(folder: Program.embedded) { web in
                let run = try await Program(in: folder)(
                    "unyank",
                    "\(model):1.0.0",
                    "--registry",
                    web.url(""),
                    "--json"
                )
                #expect(run.errorCode == "registry.folder-required", "\(run.output)")
            }
        }
    }
}
