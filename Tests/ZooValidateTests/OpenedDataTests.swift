// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooCore
import ZooFiles

@testable import ZooEval
@testable import ZooValidate

/// Held data that several suites measure on.
@Suite struct OpenedDataTests {
    private static let images = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Vectors/evaluation/held/images").standardized.path()

    private static func source(_ name: String, splits: [String]) throws -> HeldSource {
        try HeldSource(
            JSONObject([
                "kind": "held", "name": .string(name), "split": .string(splits[0]),
                "splits": .array(
                    splits.map {
                        [
                            "name": .string($0),
                            "layout": ["kind": "class-folders", "folder": .string($0)],
                        ]
                    }
                ),
            ])
        )
    }

    /// Archives are read when they are opened, and compressed ones are copied then.
    @Test func dataAreOpenedOnceForAllSuites() async throws {
        let opened = OpenedData()
        let counts = Mutex(0)
        func data(_ name: String, _ splits: [String]) async throws -> ContentDigest {
            try await opened.data(try Self.source(name, splits: splits)) {
                [images = Self.images] _ in
                counts.withLock { $0 += 1 }
                return try HeldFolder(images)
            }.digest(splits[0])
        }
        let first = try await data("pictures", ["val", "train"])
        #expect(try await data("pictures", ["val", "train"]) == first)
        #expect(try await data("pictures", ["val"]) == first)
        #expect(try await data("pictures", ["train", "val"]) != first)
        #expect(counts.withLock { $0 } == 1)
        _ = try await data("others", ["val"])
        #expect(counts.withLock { $0 } == 2)
    }

    /// What cannot be opened is tried again.
    @Test func aFailureIsNotKept() async throws {
        let opened = OpenedData()
        let source = try Self.source("pictures", splits: ["val"])
        await #expect(throws: ZooError.self) {
            _ = try await opened.data(source) { _ in try HeldFolder("/nothing/here") }
        }
        _ = try await opened.data(source) { [images = Self.images] _ in try HeldFolder(images) }
    }
}
