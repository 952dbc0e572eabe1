// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooCore
import ZooFiles
import ZooTesting

/// An image layout as one tar file, there and back, with GNU tar and skopeo as peers.
@Suite struct LayoutTarTests {
    /// A layout with one image of one empty layer.
    private func makeLayout(_ folder: TemporaryFolder) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [
            "oci-layout": Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)
        ]
        func blob(_ text: String) -> (digest: String, size: Int) {
            let bytes = Array(text.utf8)
            let digest = ContentDigest(of: bytes)
            files["blobs/sha256/\(digest.hex)"] = bytes
            return ("\(digest)", bytes.count)
        }
        let config = blob(
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#
        )
        let media = "application/vnd.oci.image"
        let manifest = blob(
            """
            {"schemaVersion":2,"mediaType":"\(media).manifest.v1+json","config":{"mediaType":\
            "\(media).config.v1+json","digest":"\(config.digest)","size":\(config.size)},"layers":[]}
            """
        )
        files["index.json"] = Array(
            """
            {"schemaVersion":2,"manifests":[{"mediaType":"\(media).manifest.v1+json","digest":\
            "\(manifest.digest)","size":\(manifest.size),"annotations":\
            {"org.opencontainers.image.ref.name":"1.0.0"}}]}
            """.utf8
        )
        for (name, bytes) in files { try folder.write(bytes, to: "layout/\(name)") }
        return files
    }

    private func content(_ folder: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in try FileSystem.files(below: folder) {
            found[name] = try FileSystem.document("\(folder)/\(name)", limit: 1 << 20)
        }
        return found
    }

    @Test func goesThereAndBackWithTheSameBytesEachTime() async throws {
        try await TemporaryFolder.with { folder in
            let files = try makeLayout(folder)
            let (first, second) = (folder.path(of: "1.tar"), folder.path(of: "2.tar"))
            try LayoutTar.write(folder.path(of: "layout"), to: first, Cancellation())
            let back = folder.path(of: "back")
            try LayoutTar.read(first, into: back, Cancellation())
            #expect(try content(back) == files)
            try LayoutTar.write(back, to: second, Cancellation())
            #expect(try folder.read("1.tar") == folder.read("2.tar"))
            #expect(throws: ZooError(.fileExists, "")) {
                try LayoutTar.read(first, into: back, Cancellation())
            }
        }
    }

    @Test func gnuTarAndSkopeoReadIt() async throws {
        try await TemporaryFolder.with { folder in
            let files = try makeLayout(folder)
            let path = folder.path(of: "x.tar")
            try LayoutTar.write(folder.path(of: "layout"), to: path, Cancellation())
            try FileSystem.createFolder(folder.path(of: "gnu"))
            let tar = try await ProgramRun("tar", ["-xf", path, "-C", folder.path(of: "gnu")])
            #expect(tar.status == 0 && tar.errors.isEmpty, "\(tar.errors)")
            #expect(try content(folder.path(of: "gnu")) == files)
            let skopeo = try await ProgramRun(
                "skopeo",
                [
                    "--insecure-policy", "copy", "oci-archive:\(path)",
                    "oci-archive:\(folder.path(of: "copy.tar")):1.0.0",
                ]
            )
            #expect(skopeo.status == 0, "\(skopeo.errors)")
            try LayoutTar.read(
                folder.path(of: "copy.tar"),
                into: folder.path(of: "from-skopeo"),
                Cancellation()
            )
            let copied = try content(folder.path(of: "from-skopeo"))
            for (name, bytes) in files where name.hasPrefix("blobs/") {
                #expect(copied[name] == bytes, "\(name)")
            }
        }
    }

    @Test func aBlobWithAnotherDigestLeavesNothing() async throws {
        try await TemporaryFolder.with { folder in
            _ = try makeLayout(folder)
            let path = folder.path(of: "x.tar")
            try LayoutTar.write(folder.path(of: "layout"), to: path, Cancellation())
            var bytes = try folder.read("x.tar")
            bytes[512] ^= 1
            try folder.write(bytes, to: "x.tar")
            try FileSystem.createFolder(folder.path(of: "out"))
            #expect(throws: ZooError(.layoutBlobMismatch, "")) {
                try LayoutTar.read(path, into: folder.path(of: "out/new"), Cancellation())
            }
            #expect(try FileSystem.names(in: folder.path(of: "out")).isEmpty)
        }
    }

    @Test func hostileTarFilesWriteNothingOutsideAndNothingHalf() async throws {
        try await TemporaryFolder.with { folder in
            let archives = folder.path(of: "archives")
            try FileSystem.createFolder(archives)
            try FileSystem.createFolder(folder.path(of: "out"))
            let made = try await ProgramRun("python3", [ForeignArchiveTests.script, archives])
            try #require(made.status == 0, "\(made.errors)")
            for name in try FileSystem.names(in: archives) where !name.contains("limit--members") {
                #expect(throws: ZooError.self, "\(name)") {
                    try LayoutTar.read(
                        "\(archives)/\(name)",
                        into: folder.path(of: "out/new"),
                        Cancellation()
                    )
                }
                #expect(try FileSystem.names(in: folder.path(of: "out")).isEmpty, "\(name)")
            }
            #expect(try FileSystem.names(in: folder.path).sorted() == ["archives", "out"])
        }
    }
}
