// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooMedia

/// Decoded video against decord, with which Meta's evaluations read.
@Suite struct VideoTests {
    static let counts = [
        "h264.mp4": 40, "h264-index-first.mp4": 40, "mpeg4.avi": 20, "vp9.webm": 20,
        "bt709.mp4": 3, "full-range.mp4": 3, "10-bit.mp4": 3,
    ]

    /// Levels: swscale has other kernels, which round differently, on other processors.
    static var tolerance: Int {
        #if arch(x86_64)
        0
        #else
        4
        #endif
    }

    @Test("pixels are those of decord", arguments: counts.keys.sorted())
    func decodes(_ name: String) async throws {
        let expected = try Expectations("videos").images(name)
        let media = try await MediaFile.open("\(vectors)/videos/\(name)")
        #expect(try await media.countFrames() == Self.counts[name])
        let clip = try await media.read(indices: expected.indices.map { $0 * 20 })
        for (frame, expected) in zip(clip.frames, expected) {
            let difference = Difference(frame, expected)
            #expect(difference.largest <= Self.tolerance, "\(difference)")
        }
    }

    @Test(
        "display matrices are applied as the ffmpeg program applies them",
        arguments: expectedNames("turned-videos")
    )
    func turned(_ name: String) async throws {
        let path = "\(vectors)/turned-videos/\(name)"
        let expected = try Expectations("turned-videos").images(name)
        let upright = try await MediaFile.open(path)
        #expect(try await upright.read(indices: [0, 1]).frames == expected)
        let stored = try await MediaFile.open(path, orientation: .stored)
        #expect(stored.turn == nil)
        #expect(
            try await stored.read(indices: [0, 1]).frames
                == Expectations("turned-videos").images("1.mov")
        )
        let values = ["scaled-6.mov": 6, "zeros.mov": 1]
        let value = try #require(values[name] ?? Int(name.prefix(1)))
        #expect(upright.turn == (value == 1 ? nil : EXIFOrientation(rawValue: value)))
        #expect(try await upright.turns(at: [1]) == [upright.turn])
    }

    @Test(
        "an angle that is no multiple of 90° is refused, and can be read as stored",
        arguments: ["45-degrees", "89-degrees", "row-of-zeros"]
    )
    func odd(_ name: String) async throws {
        let path = "\(vectors)/turned-videos/\(name).mov"
        await #expect(throws: ZooError(.mediaUnsupported, "")) { try await MediaFile.open(path) }
        let stored = try await MediaFile.open(path, orientation: .stored)
        #expect(
            try await stored.read(indices: [0, 1]).frames
                == Expectations("turned-videos").images("1.mov")
        )
    }

    /// The number that six blocks along the top of a frame spell.
    private func number(in frame: RGBImage) -> Int {
        (0..<6).reduce(0) { sum, bit in
            let level = frame.pixels[(6 * frame.width + 6 + bit * 10) * 3 + 1]
            return sum + (level > 128 ? 1 << bit : 0)
        }
    }

    @Test("frames come in the order asked for, with repeats")
    func order() async throws {
        let media = try await MediaFile.open("\(vectors)/videos/h264.mp4")
        #expect(media.frameRate == 24)
        let indices = [39, 0, 7, 7, 31, 12]
        let clip = try await media.read(indices: indices)
        #expect(clip.indices == indices)
        #expect(clip.frames.map(number) == indices)
        let numbers = try await media.map(indices: indices) { number(in: $0) }
        #expect(numbers == indices)
    }

    @Test("a frame beyond the end is an error that says how many there are")
    func beyond() async throws {
        let media = try await MediaFile.open("\(vectors)/videos/h264.mp4")
        await #expect {
            try await media.read(indices: [3, 40])
        } throws: { error in
            guard let error = error as? ZooError else { return false }
            return error.code == .mediaFrameMissing && error.message.contains("it has 40")
        }
        await #expect(throws: ZooError(.mediaFrameMissing, "")) {
            try await media.read(indices: [-1])
        }
    }

    @Test("a cancelled task stops between two frames")
    func cancels() async throws {
        let media = try await MediaFile.open("\(vectors)/videos/h264.mp4")
        let task = Task {
            // Cancelled before it begins, or while it waits here.
            while !Task.isCancelled { await Task.yield() }
            return try await media.countFrames()
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("a folder of images is a video, in natural order")
    func folder() async throws {
        let video = try await MediaFile.open("\(vectors)/videos/h264.mp4")
        let frames = try await video.read(indices: Array(0..<12)).frames
        let folder = try TemporaryFolder()
        for (index, frame) in frames.enumerated() {
            try folder.write(frame.pngBytes(), to: "frame\(index).png")
        }
        try folder.write([1], to: ".hidden")
        let media = try await MediaFile.open(folder.path)
        #expect(media.kind == .folder)
        #expect(try await media.countFrames() == 12)
        let clip = try await media.read(indices: [2, 10, 11])
        #expect(clip.frames == [frames[2], frames[10], frames[11]])
    }
}
