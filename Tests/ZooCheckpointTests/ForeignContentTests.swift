// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

/// What downloads leave behind in place of a checkpoint, under every ending.
@Suite struct ForeignContentTests {
    static let contents: [(bytes: [UInt8], what: String, remedy: String)] = [
        (
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n".utf8),
            "Git LFS pointer", "git lfs pull"
        ),
        (Array("/annex/objects/SHA256E-s12--4d7a.pt\n".utf8), "git-annex pointer", "git annex get"),
        (Array("<!DOCTYPE html>\n<html><head>".utf8), "web page", "download the checkpoint"),
        (Array("\u{FEFF}\n <HTML lang=en>".utf8), "web page", "download the checkpoint"),
        (
            Array("<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>".utf8),
            "error message of a storage server", "download the checkpoint"
        ),
        (Array("<Error><Code>NoSuchKey</Code></Error>".utf8), "error message", "download"),
        (Array("{\"error\":\"Repository not found\"}".utf8), "JSON document", "download"),
        (Array("Entry not found".utf8), "'Entry not found'", "download the checkpoint"),
        (Array("Not Found\n".utf8), "'Not Found'", "download the checkpoint"),
        ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "gzip", "gunzip"),
        (Array("BZh91AY&SY".utf8), "bzip2", "bunzip2"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 4], "xz", "unxz"),
        ([0x28, 0xB5, 0x2F, 0xFD, 0x24, 0, 1, 0], "zstd", "unzstd"),
    ]

    @Test(arguments: contents.indices, ["a.safetensors", "a.pt", "a.pth.tar", "a.bin", "a"])
    func isNamed(_ index: Int, _ name: String) throws {
        let (bytes, what, remedy) = Self.contents[index]
        let folder = try TemporaryFolder()
        try folder.write(bytes, to: name)
        let error = #expect(throws: ZooError(.checkpointFormatUnknown, "")) {
            try Checkpoint(opening: "\(folder.path)/\(name)")
        }
        #expect(error?.message.contains(what) == true)
        #expect(error?.remedy?.contains(remedy) == true)
    }

    @Test func aShardThatIsAPointerIsNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.contents[0].bytes, to: "a.safetensors")
        let index = #"{"weight_map": {"x": "a.safetensors"}}"#
        try folder.write(Array(index.utf8), to: "model.safetensors.index.json")
        let error = #expect(throws: ZooError(.checkpointFormatUnknown, "")) {
            try Checkpoint(opening: folder.path)
        }
        #expect(error?.message.contains("Git LFS pointer") == true)
    }

    @Test(arguments: [0, 1, 100, 5000])
    func zerosAreADownloadThatDidNotEnd(_ count: Int) throws {
        let folder = try TemporaryFolder()
        try folder.write([UInt8](repeating: 0, count: count), to: "a.pt")
        let error = #expect(throws: ZooError(.checkpointFormatUnknown, "")) {
            try Checkpoint(opening: "\(folder.path)/a.pt")
        }
        #expect(error?.message.contains(count == 0 ? "is empty" : "begins with zeros") == true)
    }

    /// The reference implementation takes null for no metadata (safetensors 0.8.0).
    @Test func metadataMayBeNull() throws {
        let header = Array(
            #"{"__metadata__":null,"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8
        )
        let folder = try TemporaryFolder()
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        try folder.write(length + header + [0, 0, 0x80, 0x3F], to: "a.safetensors")
        let checkpoint = try Checkpoint(opening: "\(folder.path)/a.safetensors")
        #expect(checkpoint.metadata.isEmpty)
        #expect(checkpoint["x"]?.tensor.values == [1])
    }
}
