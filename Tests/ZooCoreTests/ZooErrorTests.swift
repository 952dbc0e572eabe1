// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Errors")
struct ZooErrorTests {
    @Test("errors are equal when their codes are, whatever they say")
    func equality() {
        #expect(ZooError(.pathUnsafe, "one") == ZooError(.pathUnsafe, "other", remedy: "x"))
        #expect(ZooError(.pathUnsafe, "one") != ZooError(.pathDuplicate, "one"))
    }

    @Test("the description has the message, the code, the remedy and the causes")
    func description() {
        let cause = ZooError(.jsonMalformed, "bad text")
        let error = ZooError(.manifestInvalid, "bad manifest", remedy: "ask", cause: cause)
        #expect(
            error.description == """
                bad manifest [release.manifest-invalid]
                  remedy: ask
                  cause: bad text [json.malformed]
                """
        )
    }

    @Test("a finding carries what its error says")
    func finding() {
        let finding = Finding(ZooError(.pathUnsafe, "bad", remedy: "ask"), path: "a")
        #expect(
            finding
                == Finding(.pathUnsafe, .error, path: "a", message: "bad", remedy: "ask")
        )
    }

    @Test("a mistyped reference is a usage error, and a bad name in a document is bad data")
    func categories() throws {
        let typed = #expect(throws: ZooError.self) { try ModelReference(parsing: "a/b@sha256:0") }
        #expect(typed?.code == .referenceMalformed)
        #expect(typed?.code.category == .usage)
        #expect(typed?.remedy != nil)
        let stored = Array(
            #"{"channels":{},"format":"ami-zoo.index/1","name":"Bad","versions":[]}"#.utf8
        )
        let read = #expect(throws: ZooError.self) { try IndexDocument(canonical: stored) }
        #expect(read?.code == .fieldInvalid)
        #expect(read?.code.category == .badData)
    }
}
