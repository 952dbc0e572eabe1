// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: documents")
struct DocumentRuleTests {
    @Test("takes a document of any length up to the limit and keeps its tag")
    func fetches() throws {
        var machine = try TransferMachine.document(limit: 10)
        #expect(machine.start().request?.headers == [])
        let head = ResponseHead.answer(200, ["etag": "W/\"a\""])
        #expect(machine.exchange(head, bytes: 10).result == TransferResult(entityTag: "W/\"a\""))
    }

    @Test("refuses a longer one by its declared length")
    func declaredLength() throws {
        var machine = try TransferMachine.document(limit: 10)
        _ = machine.start()
        #expect(machine.receive(.answer(200, ["content-length": "11"])) == .stop)
        #expect(machine.end(.complete).error?.code == .documentTooLarge)
    }

    @Test("refuses a longer one without declared length at the first byte too many")
    func undeclaredLength() throws {
        var machine = try TransferMachine.document(limit: 10)
        _ = machine.start()
        #expect(machine.exchange(.answer(200), bytes: 11).error?.code == .documentTooLarge)
    }

    @Test("asks with the tag at hand, and believes 304 only then")
    func revalidates() throws {
        var machine = try TransferMachine.document(entityTag: "\"a\"")
        #expect(machine.start().request?.headers == [HeaderField("If-None-Match", "\"a\"")])
        #expect(machine.exchange(.answer(304)).result?.isNotModified == true)
        var other = try TransferMachine.document()
        _ = other.start()
        #expect(other.exchange(.answer(304)).error?.code == .statusUnexpected)
    }

    @Test("starts anew when the connection breaks")
    func startsAnew() throws {
        var machine = try TransferMachine.document(limit: 10)
        _ = machine.start()
        _ = machine.exchange(.answer(200), bytes: 8, ending: .reset)
        #expect(machine.waited().request?.range == nil)
        #expect(machine.exchange(.answer(200), bytes: 8).result != nil)
    }

    @Test(
        "refuses parts and encoded bodies",
        arguments: [
            (ResponseHead.part(0..<5, of: 10), ZooError.Code.rangeInvalid),
            (.answer(200, ["content-encoding": "gzip"]), .contentEncoded),
        ]
    )
    func refuses(head: ResponseHead, code: ZooError.Code) throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        #expect(machine.exchange(head).error?.code == code)
    }

    @Test("is complete when the connection breaks after the last byte of a known length")
    func brokenAfterTheEnd() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        let head = ResponseHead.answer(200, ["content-length": "8"])
        #expect(machine.exchange(head, bytes: 8, ending: .reset).result != nil)
    }

    @Test("starts anew when the connection breaks and the length is not known")
    func brokenWithoutLength() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        #expect(machine.exchange(.answer(200), bytes: 8, ending: .reset).notice != nil)
    }
}
