// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooMedia

/// Decoded still images against `PIL.Image.open(path).convert("RGB")`, byte for byte.
@Suite struct ImageTests {
    static let names = expectedNames("images")
    static let oriented = expectedNames("oriented")

    @Test("pixels are those of Pillow", arguments: names)
    func decodes(_ name: String) async throws {
        let expected = try Expectations("images").image(name)
        let media = try await MediaFile.open("\(vectors)/images/\(name)")
        let image = try await media.firstImage()
        #expect(image == expected, "\(Difference(image, expected))")
        #expect(media.turn == nil)
    }

    @Test("upright pixels are those of Pillow's exif_transpose", arguments: oriented)
    func orients(_ name: String) async throws {
        let path = "\(vectors)/oriented/\(name)"
        let expected = try Expectations("oriented").image(name)
        let upright = try await MediaFile.open(path)
        #expect(try await upright.firstImage() == expected)
        let stored = try await MediaFile.open(path, orientation: .stored)
        #expect(stored.turn == nil)
        let image = try await stored.firstImage()
        // The image has no symmetry, so that only a turned one differs.
        #expect((image == expected) == (upright.turn == nil))
        #expect(image.width == 8 && image.height == 5)
    }

    @Test("an opened file says how it was turned", arguments: 1...8)
    func turns(_ value: Int) async throws {
        for format in ["jpg", "png", "webp"] {
            let media = try await MediaFile.open("\(vectors)/oriented/\(value).\(format)")
            #expect(media.turn == (value == 1 ? nil : EXIFOrientation(rawValue: value)))
            #expect(try await media.turns(at: [0, 0]) == [media.turn, media.turn])
        }
    }

    @Test("frames of a folder are turned one by one")
    func folder() async throws {
        let folder = try TemporaryFolder()
        for (index, value) in [1, 3, 2].enumerated() {
            try folder.write(bytes(of: "oriented/\(value).png"), to: "\(index).png")
        }
        let media = try await MediaFile.open(folder.path)
        #expect(media.turn == nil)
        #expect(try await media.turns(at: [2, 0, 1]) == [.mirrored, nil, .rotated180])
        let clip = try await media.read(indices: [0, 1, 2])
        let expected = try Expectations("oriented")
        #expect(
            try clip.frames == [1, 3, 2].map { try expected.image("\($0).png") }
        )
        let stored = try await MediaFile.open(folder.path, orientation: .stored)
        #expect(try await stored.turns(at: [2, 1]) == [nil, nil])
        await #expect(throws: ZooError(.mediaFrameMissing, "")) { try await media.turns(at: [3]) }
    }

    @Test("only pictures of a folder are frames, and the rest is named")
    func strays() async throws {
        let folder = try TemporaryFolder()
        for (index, value) in [1, 3, 2].enumerated() {
            try folder.write(bytes(of: "oriented/\(value).png"), to: "\(index).png")
        }
        let clean = try await MediaFile.open(folder.path).read(indices: [0, 1, 2]).frames
        for name in [
            "0_meta.json", "Thumbs.db", "desktop.ini", "labels.txt", "no-ending", ".DS_Store",
        ] {
            try folder.write("x".utf8, to: name)
        }
        try folder.write([], to: "empty")
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/1",
            withIntermediateDirectories: false
        )
        try folder.write(bytes(of: "videos/h264.mp4"), to: "clip.mp4")
        let media = try await MediaFile.open(folder.path)
        #expect(try await media.countFrames() == 3)
        #expect(try await media.read(indices: [0, 1, 2]).frames == clean)
        #expect(
            Set(media.strays) == [
                "0_meta.json", "Thumbs.db", "desktop.ini", "labels.txt", "no-ending", "empty", "1",
                "clip.mp4",
            ]
        )
        // A damaged frame is an error, and not left out.
        try folder.write("x".utf8, to: "1.png")
        await #expect(throws: ZooError(.mediaUnknown, "")) {
            try await MediaFile.open(folder.path).read(indices: [1])
        }
    }

    @Test("a folder without pictures says what it holds")
    func noPictures() async throws {
        let folder = try TemporaryFolder()
        for name in ["a.mp4", "b.mp4"] {
            try folder.write(bytes(of: "videos/h264.mp4"), to: name)
        }
        let error = await #expect(throws: ZooError(.mediaNoFrames, "")) {
            try await MediaFile.open(folder.path)
        }
        #expect(error?.message.contains("'a.mp4', 'b.mp4'") == true)
        // The remedy.
        #expect(try await MediaFile.open("\(folder.path)/a.mp4").countFrames() > 0)
    }

    @Test(
        "pictures in formats that are not read are named",
        arguments: [
            ("heic", "HEIC", "heic"), ("heix", "HEIC", "HEIC"), ("mif1", "HEIF", "heic"),
            ("avif", "AVIF", "avif"), ("avis", "AVIF", "avif"),
        ]
    )
    func heif(_ brand: String, _ format: String, _ ending: String) async throws {
        let folder = try TemporaryFolder()
        let start: [UInt8] = [0, 0, 0, 24] + Array("ftyp\(brand)".utf8)
        try folder.write(start + Array("\0\0\0\0mif1miaf".utf8), to: "a.\(ending)")
        let path = folder.path
        let error = await #expect(throws: ZooError(.mediaUnsupported, "")) {
            try await MediaFile.open("\(path)/a.\(ending)")
        }
        #expect(error?.message.contains("in the format \(format),") == true)
        await #expect(throws: ZooError(.mediaUnsupported, "")) {
            try await MediaFile.open(path).read(indices: [0])
        }
    }

    @Test("a written PNG file holds the same pixels")
    func writesPNG() async throws {
        let image = try Expectations("images").image("420.jpg")
        let folder = try TemporaryFolder()
        let path = try folder.write(image.pngBytes(), to: "picture")
        let media = try await MediaFile.open(path)
        #expect(media.kind == .image(.png))
        #expect(try await media.firstImage() == image)
    }
}
