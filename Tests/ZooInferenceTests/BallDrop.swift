// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore
import ZooMedia
import ZooTesting

/// The small video model of the source tree: clips of 16 frames of 32 × 32 pixels, no resizing.
enum BallDrop {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path()

    static let folder = "\(root)models/ami/ball-drop/release"
    static let clips = (1...2).map {
        "\(root)models/ami/ball-drop/clips/held-out-\($0).safetensors"
    }

    /// The bytes of an image, different in every pixel and channel.
    static func pixels(width: Int, height: Int) -> [UInt8] {
        (0..<3 * width * height).map { UInt8($0 * 37 % 251) }
    }

    /// Writes an image of ``pixels(width:height:)``.
    static func image(
        width: Int = 32,
        height: Int = 32,
        named name: String = "image.png",
        in folder: TemporaryFolder
    ) throws -> String {
        let pixels = pixels(width: width, height: height)
        let image = RGBImage(width: width, height: height, pixels: pixels)
        return try folder.write(try image.pngBytes(), to: name)
    }
}

/// The code that a call fails with; nil when it does not fail.
func code(_ body: () async throws -> Void) async -> ZooError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ZooError)?.code
    }
}
