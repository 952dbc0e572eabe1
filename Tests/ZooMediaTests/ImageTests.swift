// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooMedia

/// Decoded still images against `PIL.Image.open(path).convert("RGB")`.
@Suite struct ImageTests {
    /// Levels that may differ: none, but in JPEG.
    ///
    /// FFmpeg rounds the inverse transform of JPEG another way, and one level of chroma is up to 1.8
    /// of colour. Measured: 97 % of bytes are equal.
    static func tolerance(_ name: String) -> (largest: Int, mean: Double) {
        name.hasSuffix(".jpg") ? (3, 0.05) : (0, 0)
    }

    static let names: [String] = {
        do {
            return try Expectations("images").names
        } catch {
            Issue.record(error)
            return []
        }
    }()

    @Test("pixels are those of Pillow", arguments: names)
    func decodes(_ name: String) async throws {
        let expected = try Expectations("images").image(name)
        let image = try await MediaFile.open("\(vectors)/images/\(name)").firstImage()
        let difference = Difference(image, expected)
        let tolerance = Self.tolerance(name)
        #expect(difference.largest <= tolerance.largest, "\(difference)")
        #expect(difference.mean <= tolerance.mean, "\(difference)")
    }

    @Test(
        "an image of a kind that is not read is refused",
        arguments: [
            "cmyk.jpg", "grey-16-bit.png",
        ]
    )
    func refuses(_ name: String) async throws {
        await #expect(throws: ZooError(.mediaUnsupported, "")) {
            try await MediaFile.open("\(vectors)/images/\(name)").firstImage()
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
