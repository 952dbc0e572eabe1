// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooFiles

@testable import ZooEval

/// The definitions in `suites/`, which ship with the program, for those who hold the data.
@Suite struct ShippedSuiteTests {
    static let folder = "\(SampleEvaluation.root)/suites"

    static func names() throws -> [String] {
        try FileSystem.names(in: folder).filter { $0.hasSuffix(".json") }
            .map { String($0.dropLast(5)) }
    }

    @Test func everyDefinitionIsComplete() throws {
        let names = try Self.names()
        #expect(names.count > 20)
        let table = try FileSystem.document("\(Self.folder)/README.md", limit: 1 << 20)
        for name in names {
            let definition = try SuiteDefinition(
                parsing: FileSystem.document("\(Self.folder)/\(name).json", limit: 1 << 20)
            )
            #expect(definition.name == name)
            // Its parameters and metrics are those of its suite.
            _ = try SuiteList.suite(for: definition)
            guard case .held(let source) = definition.data else {
                Issue.record("\(name) measures on data of a registry")
                continue
            }
            #expect(try HeldSource(JSONObject(source.json)) == source)
            #expect(String(decoding: table, as: UTF8.self).contains("| `\(name)` |"), "\(name)")
        }
    }

    /// The frames of the protocols, as numpy and the published scripts compute them.
    @Test func framesAreThoseOfNumPy() throws {
        func frames(_ rule: FrameRule, _ count: Int) throws -> [[Int]] {
            try rule.clips(frameCount: count, of: "clip")
        }
        // numpy 2.4.6: np.linspace(0, n - 1, 16).round().astype(int).
        let uniform = FrameRule.uniform(frames: 16)
        #expect(
            try frames(uniform, 40) == [
                [0, 3, 5, 8, 10, 13, 16, 18, 21, 23, 26, 29, 31, 34, 36, 39]
            ]
        )
        #expect(
            try frames(uniform, 10) == [[0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 8, 9]]
        )
        #expect(try frames(uniform, 1) == [Array(repeating: 0, count: 16)])
        // A half goes to the even frame.
        #expect(try frames(.uniform(frames: 3), 2) == [[0, 0, 1]])
        #expect(try frames(.uniform(frames: 3), 4) == [[0, 2, 3]])
        #expect(try frames(.uniform(frames: 1), 9) == [[0]])
        #expect(try frames(.every(step: 8, frames: 16), 121)[0].last == 120)
        let error = #expect(throws: ZooError.self) {
            _ = try frames(.every(step: 8, frames: 16), 120)
        }
        #expect(error?.code.rawValue == "evaluation.clip-too-short")
    }
}
