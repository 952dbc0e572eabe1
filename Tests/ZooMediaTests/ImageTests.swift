// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

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
