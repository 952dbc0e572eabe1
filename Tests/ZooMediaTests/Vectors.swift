// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooMedia
import ZooTensor

/// The folder of media files and of what reference implementations read from them.
let vectors = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Vectors/media").path(percentEncoded: false)

/// Tensors of one file of expectations.
struct Expectations: Sendable {
    let checkpoint: Checkpoint

    init(_ name: String) throws {
        checkpoint = try Checkpoint(opening: "\(vectors)/\(name).safetensors")
    }

    var names: [String] { checkpoint.tensors.map(\.name) }

    /// Pictures of a tensor U8 `[height, width, 3]` or `[frames, height, width, 3]`.
    func images(_ name: String) throws -> [RGBImage] {
        guard let stored = checkpoint[name] else { throw CocoaError(.coderValueNotFound) }
        let sizes = stored.shape.sizes.suffix(3)
        let size = (height: sizes[sizes.startIndex], width: sizes[sizes.startIndex + 1])
        let bytes = stored.withBytes { span in
            (0..<span.byteCount).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
        let each = size.height * size.width * 3
        return stride(from: 0, to: bytes.count, by: each).map {
            RGBImage(
                width: size.width,
                height: size.height,
                pixels: Array(bytes[$0..<$0 + each])
            )
        }
    }

    func image(_ name: String) throws -> RGBImage { try images(name)[0] }

    func tensor(_ name: String) throws -> Tensor {
        guard let stored = checkpoint[name] else { throw CocoaError(.coderValueNotFound) }
        return stored.tensor
    }
}

/// The names in a file of expectations, for the arguments of tests.
func expectedNames(_ name: String) -> [String] {
    do {
        return try Expectations(name).names
    } catch {
        Issue.record(error)
        return []
    }
}

/// How far two pictures are apart.
struct Difference: CustomStringConvertible {
    let largest: Int
    let mean: Double

    init(_ left: RGBImage, _ right: RGBImage) {
        let gaps = zip(left.pixels, right.pixels).map { abs(Int($0) - Int($1)) }
        let isOneSize = left.width == right.width && left.height == right.height
        largest = isOneSize ? gaps.max() ?? 0 : 999
        mean = Double(gaps.reduce(0, +)) / Double(max(gaps.count, 1))
    }

    var description: String { "largest \(largest), mean \(mean)" }
}

/// The largest difference of two tensors; infinite when their shapes differ.
func difference(_ left: Tensor, _ right: Tensor) -> Float {
    guard left.shape == right.shape else { return .infinity }
    return zip(left.values, right.values).map { abs($0 - $1) }.max() ?? 0
}

/// A folder that is removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(
            path: "ami-zoo-test-\(UUID().uuidString)"
        ).path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and says where it is.
    @discardableResult
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

/// The bytes of a vector.
func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(vectors)/\(name)")))
}
