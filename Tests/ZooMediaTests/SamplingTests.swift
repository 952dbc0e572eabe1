// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooMedia

/// Chosen frames against those that the labs' own code chooses.
@Suite struct SamplingTests {
    private struct Table: Decodable {
        struct Row: Decodable {
            let frameCount: Int
            let frameRate: Double
            let frames: Int
            let frameStep: Int?
            let fps: Int?
            let duration: Double?
            let clips: Int
            let overlap: Bool
            let indices: [[Int]]

            var step: ClipSampling.Step? {
                frameStep.map { .frames($0) } ?? fps.map { .rate($0) }
                    ?? duration.map { .seconds($0) }
            }
        }
        let cases: [Row]
    }

    @Test("clips are those of Meta's dataset class, with the first start it may draw")
    func clips() throws {
        let text = try Data(contentsOf: URL(filePath: "\(vectors)/clips.json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rows = try decoder.decode(Table.self, from: text).cases
        #expect(rows.count > 100)
        for row in rows {
            let sampling = ClipSampling(
                frames: row.frames,
                step: try #require(row.step),
                clips: row.clips,
                allowsOverlap: row.overlap
            )
            let sampled = try sampling.clips(frameCount: row.frameCount, frameRate: row.frameRate)
            #expect(sampled.clips == row.indices, "\(row)")
        }
    }

    @Test("a seed draws other starts, the same ones every time, inside the video")
    func seeded() throws {
        var sampling = ClipSampling(frames: 16, step: .frames(4), clips: 2)
        let first = try sampling.clips(frameCount: 1000, frameRate: nil)
        #expect(first.starts == [0, 0])
        sampling.start = .random(seed: 7)
        let drawn = try sampling.clips(frameCount: 1000, frameRate: nil)
        #expect(try sampling.clips(frameCount: 1000, frameRate: nil) == drawn)
        #expect(drawn.starts != first.starts)
        for (clip, indices) in drawn.clips.enumerated() {
            let start = try #require(drawn.starts[clip])
            #expect((0..<500 - 64).contains(start))
            #expect(indices[0] == start + clip * 500)
            #expect(indices.allSatisfy { ($0 / 500) == clip })
        }
        #expect(try sampling.clips(frameCount: 100, frameRate: nil).starts == [nil, nil])
    }

    @Test(
        "nonsense is refused",
        arguments: [
            ClipSampling(frames: 0, step: .frames(1)), ClipSampling(frames: 16, step: .frames(0)),
            ClipSampling(frames: 16, step: .frames(1), clips: 0),
            ClipSampling(frames: 16, step: .frames(.max)), ClipSampling(frames: 16, step: .rate(0)),
            ClipSampling(frames: 16, step: .rate(100)),
            ClipSampling(frames: 16, step: .seconds(.nan)),
            ClipSampling(frames: 16, step: .frames(1), clips: 99, allowsOverlap: false),
        ]
    )
    func nonsense(_ sampling: ClipSampling) throws {
        #expect(throws: ZooError(.samplingInvalid, "")) {
            try sampling.clips(frameCount: 40, frameRate: 30)
        }
        #expect(throws: ZooError(.samplingInvalid, "")) {
            try ClipSampling(frames: 16, step: .rate(4)).clips(frameCount: 40, frameRate: nil)
        }
    }

    /// Worked by hand from `epickitchens.py`: step int(59.94 / 8) = 7, the clip ends
    /// int(59.94) = 59 frames before the point.
    @Test("anticipation counts back from the stop, or the start, of the action")
    func anticipation() throws {
        let stop = AnticipationSampling(point: .stop)
        let indices = try stop.indices(start: 600, stop: 700, frameRate: 59.94)
        #expect(indices.count == 32)
        #expect(indices.first == 700 - 59 - 32 * 7)
        #expect(indices.last == 700 - 59 - 7)
        let start = AnticipationSampling(point: .start)
        #expect(try start.indices(start: 600, stop: 700, frameRate: 59.94).last == 600 - 59 - 7)
        let early = try start.indices(start: 100, stop: 700, frameRate: 59.94)
        #expect(early.first == 0 && early.last == 100 - 59 - 7)
        #expect(throws: ZooError(.samplingInvalid, "")) {
            try start.indices(start: 1, stop: 2, frameRate: 4)
        }
    }

    @Test("windows slide over the subsampled video")
    func windows() throws {
        // IntPhys: 99 frames, every second one: 49, of which 16 from 0, 2, ... 32.
        let windows = try SlidingWindows(step: 2).windows(frameCount: 99)
        #expect(windows.count == 17)
        #expect(windows[0] == (0..<16).map { $0 * 2 })
        #expect(windows[16] == (32..<48).map { $0 * 2 })
        #expect(throws: ZooError(.samplingInvalid, "")) {
            try SlidingWindows(step: 10).windows(frameCount: 99)
        }
    }
}
