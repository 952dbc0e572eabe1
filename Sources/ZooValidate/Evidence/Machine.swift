// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooEval
internal import ZooFiles

/// What computed the numbers of a report.
struct Machine {
    private let kernels: [String]
    private let threads: Int

    init(_ reports: [EvaluationReport], threads: Int) {
        kernels = Set(reports.flatMap(\.kernels)).sorted()
        self.threads = threads
    }

    var json: JSONValue {
        [
            "processor": .string(Self.processor), "system": .string(Self.system),
            "threads": .integer(threads), "kernels": .array(kernels.map { .string($0) }),
            "precision": "f32",
        ]
    }

    /// The name of the processor, as Linux states it.
    private static var processor: String {
        let text = (try? OpenFile("/proc/cpuinfo", .read).contents(limit: 4 << 20)).map {
            String(decoding: $0, as: UTF8.self)
        }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last.map(String.init) ?? "unknown"
        return String(name.drop { $0 == " " }.prefix(128))
    }

    private static var system: String {
        #if os(Linux)
        "Linux"
        #elseif os(macOS)
        "macOS"
        #else
        "unknown"
        #endif
    }
}
