// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooInference

/// Opens images or videos of any common format, and prints the shape of their features.
///
///     swift run embed-image MODEL-FOLDER IMAGE...
@main
struct EmbedImage {
    static func main() async throws {
        guard CommandLine.arguments.count >= 3 else {
            print("usage: embed-image MODEL-FOLDER IMAGE...")
            return
        }
        let run = try await EmbedRun(folder: CommandLine.arguments[1], pooling: .mean)
        let features = try await run.features(of: Array(CommandLine.arguments.dropFirst(2)))
        for (row, name) in features.names.enumerated() {
            let first = (0..<4).map { features.values[row, $0] }
            print("\(name): \(features.values.shape[1]) numbers, the first of them \(first)")
        }
    }
}
