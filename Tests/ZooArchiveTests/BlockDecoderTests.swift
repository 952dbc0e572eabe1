// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooCore
import ZooTesting

/// Blocks whose digests are right and whose frames are not, made by the zstd program.
@Suite struct BlockDecoderTests {
    /// How a frame is made of `raw.bin`, 300,000 bytes that compress well; a shell command that
    /// writes the block to standard output.
    struct Recipe: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: String
    }

    static let refused: [Recipe] = [
        Recipe(testDescription: "no size", command: "cat raw.bin | zstd -qc"),
        Recipe(testDescription: "two frames", command: "zstd -qc raw.bin; zstd -qc raw.bin"),
        Recipe(testDescription: "a frame and a byte", command: "zstd -qc raw.bin; printf x"),
        Recipe(testDescription: "half a frame", command: "zstd -qc raw.bin | head -c 20"),
        Recipe(testDescription: "other content", command: "head -c 9 raw.bin >s; zstd -qc s"),
        Recipe(testDescription: "a skippable frame", command: "printf 'P*M\\030\\001\\0\\0\\0x'"),
        Recipe(testDescription: "no frame", command: "head -c 100 raw.bin"),
        Recipe(
            testDescription: "more than it declares",
            command:
                "cat raw.bin raw.bin raw.bin >b; zstd -qc b | (head -c 6; printf '\\340\\223\\004\\0'; tail -c +11)"
        ),
    ]

    private func decode(_ command: String) async throws -> Int {
        try await TemporaryFolder.with { folder in
            let raw = Array("the ball falls ".utf8)
            let text = Array(repeatElement(raw, count: 20_000).joined())
            try folder.write(text, to: "raw.bin")
            let run = try await ProgramRun(
                "sh",
                ["-ec", "cd '\(folder.path)'; { \(command); } >block"]
            )
            try #require(run.status == 0, "\(run.errors)")
            let bytes = try folder.read("block")
            let buffer = BlockBuffer()
            unsafe buffer.append(bytes.span.bytes)
            return try BlockDecoder().decode(
                buffer,
                of: BlockTable.Block(
                    archiveRange: 0..<bytes.count,
                    archiveDigest: ContentDigest(of: bytes),
                    rawRange: 0..<text.count,
                    rawDigest: ContentDigest(of: text)
                ),
                .zstd
            ).block.rawRange.count
        }
    }

    @Test func aFrameOfTheZstdProgramIsTaken() async throws {
        #expect(try await decode("zstd -qc -19 raw.bin") == 300_000)
    }

    @Test(arguments: refused)
    func otherFramesAreRefused(recipe: Recipe) async throws {
        await #expect(throws: ZooError(.frameMalformed, "")) { try await decode(recipe.command) }
    }
}
