// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

/// Statements of provenance: read again, changed, and of other kinds.
@Suite struct ConversionProvenanceTests {
    private static func sample() throws -> ConversionProvenance {
        try ConversionProvenance(
            of: [("b.json", ContentDigest(of: [1])), ("a.safetensors", ContentDigest(of: [2]))],
            from: [
                .init(name: "u.pt", uri: "https://example.org/u.pt", digest: ContentDigest(of: [3]))
            ],
            ["dtype": "BF16"],
            program: "0.1.0"
        )
    }

    @Test func aStatementIsReadAsItWasWritten() throws {
        let written = try Self.sample()
        let read = try ConversionProvenance(statement: written.statement)
        #expect(read.sources == written.sources && read.outputs == written.outputs)
        #expect(read.program == "0.1.0" && read.outputs.count == 2)
        #expect(read.parameters.members == ["dtype": "BF16"])
    }

    /// Every byte: refused, or read as something else than before.
    @Test func noChangedByteIsReadAsTheSame() throws {
        let written = try Self.sample()
        for position in written.statement.indices {
            for change in [UInt8(1), 0x20] {
                var bytes = written.statement
                bytes[position] ^= change
                guard let read = try? ConversionProvenance(statement: bytes) else { continue }
                let isSame =
                    read.sources == written.sources && read.outputs == written.outputs
                    && read.program == written.program
                    && read.parameters.members == written.parameters.members
                #expect(!isSame, "byte \(position)")
            }
        }
    }

    @Test(arguments: [
        ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"),
        ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"),
        ("build/conversion/v1", "build/training/v1"), ("builder/ami-zoo", "builder/other"),
        (#""name":"b.json""#, #""name":"a.safetensors""#), ("resolvedDependencies", "others"),
    ])
    func otherStatementsAreRefused(old: String, new: String) throws {
        let text = String(decoding: try Self.sample().statement, as: UTF8.self)
        #expect(text.contains(old))
        let changed = Array(text.replacing(old, with: new).utf8)
        let error = #expect(throws: ZooError.self) { try ConversionProvenance(statement: changed) }
        #expect(error?.code == .fieldInvalid)
    }
}
