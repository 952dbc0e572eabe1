// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooMedia

/// Media that break the rules: each is a clear error, and never a crash.
@Suite struct HostileMediaTests {
    /// Reads everything a file has.
    private func readAll(_ path: String, limits: MediaLimits = MediaLimits()) async throws {
        let media = try await MediaFile.open(path, limits: limits)
        _ = try await media.read(indices: Array(0..<media.countFrames()))
    }

    @Test(
        "a truncated file is damaged, wherever it ends",
        arguments: [
            "images/rgb.png", "images/interlaced.png", "images/palette.png", "images/420.jpg",
            "images/progressive.jpg", "images/arithmetic.jpg", "images/cmyk.jpg",
            "images/lossy.webp", "images/lossless.webp", "images/animation.webp",
            "oriented/6.jpg", "oriented/6.png", "oriented/6.webp", "videos/h264.mp4",
            "videos/h264-index-first.mp4",
            "videos/vp9.webm", "videos/mpeg4.avi",
        ]
    )
    func truncated(_ name: String) async throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(of: name)
        for part in [
            3, 12, 20, 30, whole.count / 3, whole.count / 2, whole.count * 9 / 10, whole.count - 1,
        ] {
            let path = try folder.write(whole.prefix(part), to: "part")
            await #expect("\(part) of \(whole.count) bytes") {
                try await readAll(path)
            } throws: { error in
                let codes: [ZooError.Code] = [.mediaDamaged, .mediaUnknown]
                return (error as? ZooError).map { codes.contains($0.code) } ?? false
            }
        }
    }

    @Test(
        "flipped bytes are read or refused, and never crash",
        arguments: [
            "images/rgb.png", "images/palette.png", "images/420.jpg", "images/progressive.jpg",
            "images/lossy.webp", "images/lossless.webp", "images/animation.webp", "videos/h264.mp4",
            "videos/mpeg4.avi",
            "videos/vp9.webm",
        ]
    )
    func flipped(_ name: String) async throws {
        let folder = try TemporaryFolder()
        let whole = try bytes(of: name)
        var state: UInt64 = 42
        for _ in 0..<40 {
            var changed = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 20)
            }
            let path = try folder.write(changed, to: "flipped")
            do {
                try await readAll(path, limits: MediaLimits(pixels: 1 << 20, frames: 500))
            } catch let error as ZooError {
                #expect(error.code.rawValue.hasPrefix("media."), "\(error)")
            }
        }
    }

    private struct Mutants: Decodable {
        struct Edit: Decodable {
            let offset: Int
            let bytes: String

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                offset = try values.decode(Int.self)
                bytes = try values.decode(String.self)
            }
        }

        struct Image: Decodable, Equatable {
            let width: Int
            let height: Int
            let digest: String

            init(_ image: RGBImage) {
                (width, height) = (image.width, image.height)
                digest = ContentDigest(of: image.pixels).hex
            }

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                width = try values.decode(Int.self)
                height = try values.decode(Int.self)
                digest = try values.decode(String.self)
            }
        }

        struct Case: Decodable {
            let file: String
            let length: Int
            let edits: [Edit]
            let pillow: Image?
        }

        let cases: [Case]
    }

    @Test("mutants of images are refused, or read as Pillow reads them")
    func mutants() async throws {
        let path =
            ProcessInfo.processInfo.environment["AMI_ZOO_MUTANTS"] ?? "\(vectors)/mutants.json"
        let cases = try JSONDecoder().decode(
            Mutants.self,
            from: Data(contentsOf: URL(filePath: path))
        ).cases
        let folder = try TemporaryFolder()
        var (equal, refused, refusedByPillow) = (0, 0, 0)
        for mutant in cases {
            var content = try bytes(of: mutant.file)
            content = Array(
                (content + Array(repeating: 0, count: mutant.length)).prefix(mutant.length)
            )
            for edit in mutant.edits {
                let digits = Array(edit.bytes)
                for index in 0..<digits.count / 2 {
                    content[edit.offset + index] =
                        try #require(UInt8(String(digits[2 * index...2 * index + 1]), radix: 16))
                }
            }
            let file = try folder.write(content, to: "mutant")
            do {
                let image = try await MediaFile.open(file).firstImage()
                if Mutants.Image(image) == mutant.pillow {
                    equal += 1
                } else {
                    let verdict = mutant.pillow == nil ? "Pillow refuses it" : "it differs"
                    Issue.record(
                        "\(mutant.file), \(mutant.length) bytes, \(mutant.edits): read, but \(verdict)"
                    )
                }
            } catch let error as ZooError {
                #expect(error.code.rawValue.hasPrefix("media."), "\(mutant.file): \(error)")
                refused += 1
                if mutant.pillow == nil { refusedByPillow += 1 }
            }
        }
        #expect(equal > cases.count / 10)
        print(
            "\(cases.count) mutants: \(equal) equal, \(refused) refused (\(refusedByPillow) by both)"
        )
    }

    @Test("a progressive JPEG file with a thousand scans is refused")
    func scans() async throws {
        let whole = try bytes(of: "images/progressive.jpg")
        // The first scan again and again, before the others.
        let starts = whole.indices.dropLast().filter { whole[$0] == 0xFF && whole[$0 + 1] == 0xDA }
        #expect(starts.count > 5)
        let folder = try TemporaryFolder()
        let scans = Array(repeating: whole[starts[0]..<starts[1]], count: 1000).joined()
        let bomb = whole[..<starts[0]] + scans + whole[starts[1]...]
        let path = try folder.write(bomb, to: "bomb.jpg")
        await #expect(throws: ZooError(.mediaTooLarge, "")) { try await readAll(path) }
    }

    /// A grey progressive JPEG file of `side` x `side` pixels, `side` a multiple of 1024, whose blocks are
    /// all zero bits: one scan of DC coefficients and `scans` scans of AC coefficients.
    private func blankJPEG(side: Int, scans: Int) -> [UInt8] {
        func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
            [0xFF, marker] + [UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 0xFF)]
                + content
        }
        // One code, of one bit, for one symbol.
        func table(_ kind: UInt8, _ symbol: UInt8) -> [UInt8] {
            segment(0xC4, [kind, 1] + Array(repeating: 0, count: 15) + [symbol])
        }
        let blocks = side / 8 * (side / 8)
        let size = [UInt8(side >> 8), UInt8(side & 0xFF)]
        var file: [UInt8] = [0xFF, 0xD8]
        file += segment(0xDB, [0] + Array(repeating: 1, count: 64))
        file += segment(0xC2, [8] + size + size + [1, 1, 0x11, 0])
        // DC differences of 0; a run of 2^14 blocks without AC coefficients takes 15 bits.
        file += table(0x00, 0x00) + table(0x10, 0xE0)
        file += segment(0xDA, [1, 1, 0x00, 0, 0, 0]) + Array(repeating: 0, count: blocks / 8)
        for scan in 0..<scans {
            let frequency = UInt8(1 + scan % 63)
            file += segment(0xDA, [1, 1, 0x00, frequency, frequency, 0])
            file += Array(repeating: 0, count: blocks / 16384 * 15 / 8)
        }
        return file + [0xFF, 0xD9]
    }

    /// A lossless WebP file of `side` x `side` pixels, whose columns are black and green in turns.
    private func stripedWebP(side: Int) -> [UInt8] {
        var bits: [Bool] = []
        func put(_ value: Int, _ count: Int) {
            for bit in 0..<count { bits.append(value >> bit & 1 == 1) }
        }
        put(0x2F, 8)
        put(side - 1, 14)
        put(side - 1, 14)
        // Neither alpha nor transforms, colour cache or groups of codes; version 0.
        put(0, 1 + 3 + 3)
        // Green is 0 or 255, in one bit; red, blue, alpha and distances are 0, in none.
        put(0b111 | 0xFF00 << 3, 3 + 16)
        for _ in 0..<4 { put(0b0001, 4) }
        while bits.count % 8 != 0 { bits.append(bits.count % 2 == 1) }
        let header = stride(from: 0, to: bits.count, by: 8).map { start in
            (0..<8).reduce(UInt8(0)) { $0 | (bits[start + $1] ? 1 << UInt8($1) : 0) }
        }
        var stream = header + Array(repeating: 0xAA, count: side * side / 8)
        if stream.count % 2 == 1 { stream.append(0) }
        func little(_ value: Int) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return Array("RIFF".utf8) + little(stream.count + 12) + Array("WEBPVP8L".utf8)
            + little(stream.count) + stream
    }

    @Test("decoding a huge progressive JPEG file can be cancelled")
    func cancelledScans() async throws {
        // Each scan passes over all 1,048,576 blocks.
        try await expectCancellation(of: blankJPEG(side: 8192, scans: 63), "huge.jpg") {
            $0.width == 8192 && $0.pixels.first == 128
        }
    }

    @Test("decoding a huge WebP file can be cancelled")
    func cancelledPieces() async throws {
        try await expectCancellation(of: stripedWebP(side: 8192), "huge.webp") { image in
            image.width == 8192 && Array(image.pixels.prefix(6)) == [0, 0, 0, 0, 255, 0]
                && Array(image.pixels.suffix(6)) == [0, 0, 0, 0, 255, 0]
        }
    }

    private func expectCancellation(
        of bytes: [UInt8],
        _ name: String,
        _ isRight: (RGBImage) -> Bool
    ) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: name)
        let file = try await MediaFile.open(path)
        let clock = ContinuousClock()
        let whole = try await clock.measure {
            let image = try await file.firstImage()
            #expect(isRight(image))
        }
        let task = Task { try await file.map(indices: [0]) { $0.width } }
        try await Task.sleep(for: whole / 8)
        let remaining = await clock.measure {
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(remaining < whole / 3, "\(remaining) after the cancellation, \(whole) in all")
    }

    @Test("an animation with more frames than allowed is refused")
    func animationFrames() async throws {
        await #expect(throws: ZooError(.mediaTooLarge, "")) {
            try await readAll("\(vectors)/images/animation.webp", limits: MediaLimits(frames: 2))
        }
    }

    @Test("compressed texts and profiles of a PNG file are not inflated")
    func ancillaryBomb() async throws {
        // A chunk that says it is an iCCP profile of 64 MiB; its checksum is right, its stream is cut off.
        let whole = try bytes(of: "images/rgb.png")
        let bomb = Array("iCCPp\0\0".utf8) + [0x78, 0xDA] + Array(repeating: 0xED, count: 4096)
        let chunk = big(bomb.count - 4) + bomb + big(Int(crc(bomb)))
        let chunks = repeatElement(chunk, count: 2000).joined()
        let content = whole.prefix(33) + chunks + whole.dropFirst(33)
        let folder = try TemporaryFolder()
        let path = try folder.write(Array(content), to: "bomb.png")
        let image = try await MediaFile.open(path).firstImage()
        #expect(try image == Expectations("images").image("rgb.png"))
    }

    private func big(_ value: Int) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { value, _ in
                value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0)
            }
        }
    }

    @Test("a PNG header that claims 100000 x 100000 pixels is refused before memory is taken")
    func absurdSize() async throws {
        var header = try bytes(of: "images/rgb.png")
        header.replaceSubrange(16..<24, with: [0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0])
        header.replaceSubrange(29..<33, with: big(Int(crc(Array(header[12..<29])))))
        let folder = try TemporaryFolder()
        let path = try folder.write(header, to: "huge.png")
        await #expect(throws: ZooError(.mediaTooLarge, "")) { try await readAll(path) }
    }

    @Test("limits hold for images, videos and clips")
    func limits() async throws {
        for (name, limits) in [
            ("images/rgb.png", MediaLimits(pixels: 100)),
            ("images/420.jpg", MediaLimits(pixels: 100)),
            ("images/lossy.webp", MediaLimits(pixels: 100)),
            ("images/lossless.webp", MediaLimits(pixels: 100)),
            ("images/rgb.png", MediaLimits(imageFileBytes: 100)),
            ("videos/h264.mp4", MediaLimits(pixels: 100)),
            ("videos/h264.mp4", MediaLimits(frames: 39)),
            ("videos/h264.mp4", MediaLimits(clipBytes: 39 * 64 * 48 * 3)),
        ] {
            await #expect(throws: ZooError(.mediaTooLarge, ""), "\(name)") {
                try await readAll("\(vectors)/\(name)", limits: limits)
            }
        }
    }

    @Test(
        "a text, a playlist, and an empty file with the name of a video are not videos",
        arguments: [
            "", "hello\n", String(repeating: "lorem ipsum ", count: 5000),
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile '/etc/passwd'\n",
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"></MPD>",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
        ]
    )
    func notVideo(_ text: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text.utf8, to: "clip.mp4")
        await #expect(throws: ZooError(.mediaUnknown, "")) { try await MediaFile.open(path) }
    }

    @Test("content decides, not the extension")
    func extensionIgnored() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes(of: "images/rgb.png"), to: "clip.mp4")
        #expect(try await MediaFile.open(path).kind == .image(.png))
        let link = "\(folder.path)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(try await MediaFile.open(link).firstImage().width == 35)
    }

    @Test("folders: empty, with something else in it, with two sizes")
    func folders() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: ZooError(.mediaNoFrames, "")) {
            try await MediaFile.open(folder.path)
        }
        try folder.write(bytes(of: "images/rgb.png"), to: "1.png")
        try folder.write(bytes(of: "images/even-420.jpg"), to: "2.jpg")
        await #expect(throws: ZooError(.mediaSizesDiffer, "")) { try await readAll(folder.path) }
        try folder.write("notes".utf8, to: "2.jpg")
        await #expect(throws: ZooError(.mediaUnknown, "")) { try await readAll(folder.path) }
    }

    @Test("a file that is not there, and a named pipe, are errors at once")
    func special() async throws {
        let folder = try TemporaryFolder()
        await #expect {
            try await MediaFile.open("\(folder.path)/none")
        } throws: { error in
            (error as? ZooError)?.code.rawValue == "io.not-found"
        }
        #expect(unsafe mkfifo("\(folder.path)/pipe", 0o600) == 0)
        await #expect {
            try await MediaFile.open("\(folder.path)/pipe")
        } throws: { error in
            (error as? ZooError)?.code.rawValue == "io.not-a-file"
        }
    }
}
