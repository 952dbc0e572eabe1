// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// A new version of a model travels without the blocks that its registry has: `publish` against `serve`.
@Suite struct BlockUploadTests {
    /// A model with three components in one file, in two versions that differ in one component.
    private struct Versions {
        /// The folders that `pack` wrote.
        let first: String
        let second: String
        /// The bytes of the component that differs.
        static let changed = 4 << 20

        init(_ zoo: Program, _ folder: TemporaryFolder, compression: String) async throws {
            first = folder.path(of: "first")
            second = folder.path(of: "second")
            for (number, output) in [first, second].enumerated() {
                let source = "source-\(number)"
                try folder.write(Self.weights(predictor: number), to: "\(source)/model.safetensors")
                try folder.write(
                    Array(#"{"model_type":"sample"}"#.utf8),
                    to: "\(source)/config.json"
                )
                try folder.write(Array(Self.description(number).utf8), to: "\(source)/model.yaml")
                let pack = try await zoo(
                    "pack",
                    folder.path(of: source),
                    "--output",
                    output,
                    "--compression",
                    compression
                )
                try #require(pack.status == 0, "\(pack.errors)")
            }
        }

        private static func weights(predictor: Int) -> [UInt8] {
            let parts = [
                ("encoder", 12 << 20, UInt64(1)), ("predictor", changed, UInt64(10 + predictor)),
                ("head", 2 << 20, UInt64(3)),
            ]
            var (entries, bytes) = ([String](), [UInt8]())
            for (name, size, seed) in parts {
                entries.append(
                    """
                    "\(name).weight":{"dtype":"U8","shape":[\(size)],\
                    "data_offsets":[\(bytes.count),\(bytes.count + size)]}
                    """
                )
                var state = 0x9E37_79B9_7F4A_7C15 &* seed
                var part: [UInt64] = []
                part.reserveCapacity(size / 8)
                for _ in 0..<size / 8 {
                    state ^= state << 13
                    state ^= state >> 7
                    state ^= state << 17
                    part.append(state)
                }
                unsafe part.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            }
            var header = Array("{\(entries.joined(separator: ","))}".utf8)
            while header.count % 8 != 0 { header.append(0x20) }
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            return length + header + bytes
        }

        private static func description(_ number: Int) -> String {
            """
            name: test/random
            version: "1.\(number).0"
            summary: Numbers without meaning.
            authors: [somebody]
            licence: Apache-2.0
            created: 2026-01-31T12:00:00Z
            architecture: {family: sample, variant: tiny, configuration: {}}
            inputs: {modality: image, frames: 1, height: 1, width: 1, channels: rgb, layout: BCHW,
                     preprocessing: {orientation: upright, resize: {rule: none}, resampling: none,
                                     crop: {rule: none}, rescale: 0.00392156862745098,
                                     mean: [0, 0, 0], std: [1, 1, 1]}}
            components: [{name: encoder, files: [model.safetensors], prefix: encoder.},
                         {name: predictor, files: [model.safetensors], prefix: predictor.},
                         {name: head, files: [model.safetensors], prefix: head.}]
            lineage: {kind: trained}
            """
        }
    }

    /// The bytes that a server received so far.
    private func received(_ url: String) async throws -> Int {
        let page = try await ProgramRun("curl", ["-q", "-s", "\(url)/metrics"])
        let name = "ami_zoo_http_received_bytes_total "
        let line = try #require(
            page.output.split(separator: "\n").first { $0.hasPrefix(name) },
            "\(page.output)"
        )
        return try #require(Int(line.dropFirst(name.count)))
    }

    @Test(arguments: ["none", "zstd"])
    func aChangedComponentTravelsAlone(compression: String) async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            let versions = try await Versions(zoo, folder, compression: compression)
            #expect(try await zoo("registry", "init", registry).status == 0)
            try await Serving.with(registry, zoo, folder) { url in
                let first = try await zoo(
                    "publish",
                    versions.first,
                    "--registry",
                    url,
                    "--unvalidated",
                    "random"
                )
                #expect(first.status == 0, "\(first.errors)")
                let dry = try await zoo(
                    "publish",
                    versions.second,
                    "--registry",
                    url,
                    "--dry-run",
                    "--unvalidated",
                    "random",
                    "--json"
                )
                let before = try await received(url)
                let second = try await zoo(
                    "publish",
                    versions.second,
                    "--registry",
                    url,
                    "--unvalidated",
                    "random",
                    "--json"
                )
                let bytes = try await received(url) - before
                #expect(second.status == 0, "\(second.output)")
                let limit = Versions.changed * 105 / 100
                #expect(bytes <= limit, "\(bytes) bytes")
                print(
                    "\(compression): \(bytes) bytes received, \(bytes * 100 / Versions.changed) %"
                )
                let report = try second.document.objects("releases", maximum: 1)[0]
                let sent = try report.size("bytesUploaded")
                #expect(sent <= limit && sent > Versions.changed / 2)
                let planned = try dry.document.objects("releases", maximum: 1)[0]
                #expect(try planned.size("bytesUploaded") == sent)

                let pull = try await zoo(
                    "pull",
                    "test/random:1.1.0",
                    "--registry",
                    url,
                    "--json"
                )
                #expect(pull.status == 0, "\(pull.errors)")
                let path = try pull.text("path")
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: "\(path)/model.safetensors",
                        andPath: folder.path(of: "source-1/model.safetensors")
                    )
                )
            }
            #expect(try await zoo("registry", "check", registry).status == 0)
        }
    }

    /// Another registry is not asked for anything that it does not announce.
    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func anotherRegistryGetsWholeArchives() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let versions = try await Versions(zoo, folder, compression: "none")
            try await DockerRegistryServer.with { server in
                let url = server.url
                for version in [versions.first, versions.second] {
                    let run = try await zoo(
                        "publish",
                        version,
                        "--registry",
                        url,
                        "--unvalidated",
                        "random",
                        "--json"
                    )
                    #expect(run.status == 0, "\(run.output)")
                    let report = try run.document.objects("releases", maximum: 1)[0]
                    #expect(try report.size("bytesUploaded") > 18 << 20)
                }
            }
        }
    }

    /// Client and server are killed while an archive is on its way; the next run sends the rest.
    @Test func aKilledUploadContinues() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            let versions = try await Versions(zoo, folder, compression: "none")
            #expect(try await zoo("registry", "init", registry).status == 0)
            var sent = 0
            try await Serving.with(registry, zoo, folder) { url in
                let publish = try zoo.start(
                    [
                        "publish", versions.first, "--registry", url, "--unvalidated", "random",
                        "--max-rate", "6M",
                    ],
                    output: folder.path(of: "publish")
                )
                for _ in 0..<300 where sent < 9 << 20 {
                    try await Task.sleep(for: .milliseconds(20))
                    sent = try await received(url)
                }
                #expect(publish.isRunning)
                await publish.kill()
            }
            try await Serving.with(registry, zoo, folder) { url in
                let run = try await zoo(
                    "publish",
                    versions.first,
                    "--registry",
                    url,
                    "--unvalidated",
                    "random",
                    "--json"
                )
                #expect(run.status == 0, "\(run.output)")
                let report = try run.document.objects("releases", maximum: 1)[0]
                let rest = try report.size("bytesUploaded")
                print("sent before the end \(sent), after it \(rest)")
                // Whole blocks of what was on its way are kept.
                #expect(rest < (18 << 20) - sent + (8 << 20))
            }
            #expect(try await zoo("registry", "check", registry).status == 0)
        }
    }

    /// A full disk ends a publication with its reason; when there is space again, it continues.
    @Test(
        .enabled("this machine lets nobody mount a file system of their own") {
            try await ProgramRun("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
                .status == 0
        }
    )
    func aFullDiskIsSaidAndOvercome() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let versions = try await Versions(zoo, folder, compression: "none")
            try folder.write([], to: "disk/.keep")
            let script = """
                mount -t tmpfs -o size=64m none "$disk" || exit 99
                "$zoo" registry init "$disk/registry" > "$log" || exit 98
                "$zoo" serve --root "$disk/registry" --listen 127.0.0.1:0 > "$address" &
                server=$!
                for i in $(seq 100); do grep -q http "$address" 2> "$log" && break; sleep 0.1; done
                url=$(grep -o 'http://[0-9.:]*' "$address" | head -1)
                "$zoo" publish "$first" --registry "$url" --unvalidated random > "$log" || exit 97
                head -c 42m /dev/zero > "$disk/filler" 2> "$log"
                "$zoo" publish "$second" --registry "$url" --unvalidated random --timeout 2 --json
                rm "$disk/filler"
                "$zoo" publish "$second" --registry "$url" --unvalidated random --json || exit 96
                "$zoo" registry check "$disk/registry" > "$log" || exit 95
                kill $server
                """
            let run = try await ProgramRun(
                "unshare",
                ["-rm", "sh", "-c", script],
                environment: zoo.environment.merging(
                    [
                        "zoo": Program.executable, "disk": folder.path(of: "disk"),
                        "address": folder.path(of: "address"), "log": folder.path(of: "log"),
                        "first": versions.first, "second": versions.second,
                    ]
                ) { $1 }
            )
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            #expect(run.output.contains("No space left on device"), "\(run.output)")
        }
    }
}
