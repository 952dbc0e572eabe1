// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing

@testable import ZooMedia

/// The versions of the decoders, as other programs tell them.
@Suite struct MediaDecodersTests {
    private static func output(_ program: String, _ arguments: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: bytes, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(.enabled(if: output("ffmpeg", ["-version"]) != nil))
    func theVersionOfFFmpegIsThatOfItsProgram() throws {
        let text = try #require(Self.output("ffmpeg", ["-version"]))
        let version = try #require(MediaDecoders.videos["ffmpeg"])
        #expect(text.hasPrefix("ffmpeg version \(version) "))
    }

    @Test(.enabled(if: output("pkg-config", ["--modversion", "libjpeg", "libwebp"]) != nil))
    func theVersionsOfImageLibrariesAreThoseOfTheirPackages() throws {
        let text = try #require(Self.output("pkg-config", ["--modversion", "libjpeg", "libwebp"]))
        let versions = text.split(separator: "\n").map(String.init)
        let jpeg = try #require(MediaDecoders.images["libjpeg"])
        #expect(jpeg.hasPrefix("libjpeg-turbo \(versions[0])"), "\(jpeg)")
        #expect(MediaDecoders.images["libwebp"] == versions[1])
    }
}
