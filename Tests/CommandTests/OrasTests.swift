// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// oras, a client of OCI artifacts, against `serve`.
@Suite struct OrasTests {
    /// Runs `oras-peer.py` in a folder.
    private func oras(
        _ arguments: [String],
        in folder: TemporaryFolder,
        token: String? = nil
    ) async throws -> ProgramRun {
        let script = "\(Program.root)Tests/Support/oras-peer.py"
        return try await ProgramRun(
            "sh",
            ["-c", #"cd "$folder" && exec python3 "$@""#, "sh", script] + arguments,
            environment: [
                "folder": folder.path,
                "HOME": folder.path,
                "PYTHONPATH": "\(Program.root).build/peers/oras",
                "PEER_TOKEN": token ?? "",
            ]
        )
    }

    @Test func aReleaseIsPulledAsItsBlobs() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let state = folder.path(of: "state")
            let token = try await zoo.token("reader", scope: "ami:read", state)
            let options = ["--state", state]
            try await Serving.with(Program.embedded, zoo, folder, options: options) { url in
                let target = url.dropFirst("http://".count) + "/ami/ball-drop:1.1.0"
                let denied = try await oras(
                    ["pull", String(target), "denied"],
                    in: folder,
                    token: "amz_wrong"
                )
                #expect(denied.status != 0)
                let pull = try await oras(
                    ["pull", String(target), "out"],
                    in: folder,
                    token: token
                )
                try #require(pull.status == 0, "\(pull.errors)")
                let files = pull.output.split(separator: "\n")
                #expect(files.count > 1)
                for file in files {
                    let path = file.hasPrefix("/") ? String(file) : folder.path(of: String(file))
                    let digest = ContentDigest(
                        of: Data(try FileSystem.document(path, limit: 1 << 30))
                    )
                    #expect(
                        try FileSystem.status("\(Program.embedded)/blobs/sha256/\(digest.hex)")
                            != nil
                    )
                }
            }
        }
    }

    @Test func anyArtifactTravelsThereAndBackWhereTheServerTakesIt() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, registry) = (Program(in: folder), folder.path(of: "registry"))
            #expect(try await zoo("registry", "init", registry).status == 0)
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            try folder.write(bytes, to: "weights.bin")
            try folder.write(Array("notes".utf8), to: "notes.txt")
            for accepts in [false, true] {
                let options = accepts ? ["--accept", "any"] : []
                try await Serving.with(registry, zoo, folder, options: options) { url in
                    let target = String(url.dropFirst("http://".count)) + "/lab/notes:latest"
                    let push = try await oras(
                        ["push", target, "weights.bin", "notes.txt"],
                        in: folder
                    )
                    guard accepts else {
                        #expect(push.status != 0)
                        return
                    }
                    try #require(push.status == 0, "\(push.errors)")
                    let pull = try await oras(["pull", target, "back"], in: folder)
                    #expect(pull.status == 0, "\(pull.errors)")
                    #expect(try folder.read("back/weights.bin") == bytes)
                    #expect(try folder.read("back/notes.txt") == Array("notes".utf8))
                    let copy = try await ProgramRun(
                        "skopeo",
                        [
                            "copy", "--src-tls-verify=false", "docker://\(target)",
                            "oci:\(folder.path(of: "layout")):latest",
                        ]
                    )
                    #expect(copy.status == 0, "\(copy.errors)")
                    // What is not a release is not in the catalogue.
                    let list = try await zoo("list", "--registry", url, "--json")
                    #expect(try list.document.objects("models", maximum: 10).isEmpty)
                }
            }
            #expect(try await zoo("registry", "check", registry).status == 0)
        }
    }
}
