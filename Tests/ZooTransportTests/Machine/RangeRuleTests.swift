// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: ranges and resuming")
struct RangeRuleTests {
    @Test("asks for a part with its range and succeeds when all bytes have come")
    func part() throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        #expect(machine.start().request?.range == 10..<20)
        #expect(machine.receive(.part(10..<20, of: 100)) == .deliver(skipping: 0))
        #expect(machine.receive(count: 4) == .deliver(skipping: 0))
        #expect(machine.receive(count: 6) == .deliver(skipping: 0))
        #expect(machine.end(.complete).result != nil)
    }

    @Test("asks for the whole without a range")
    func whole() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        #expect(machine.start().request?.range == nil)
        #expect(machine.exchange(.answer(200), bytes: 100).result != nil)
    }

    @Test("asks for nothing when the range is empty")
    func emptyRange() throws {
        var machine = try TransferMachine.bytes(7..<7, of: 100)
        #expect(machine.start().result != nil)
    }

    @Test("asks for an empty resource, which may not exist")
    func emptyResource() throws {
        var machine = try TransferMachine.bytes(0..<0, of: 0)
        #expect(machine.start().request != nil)
        #expect(machine.exchange(.answer(200, ["content-length": "0"])).result != nil)
    }

    @Test("resumes where the connection broke, bound to the strong tag")
    func resumes() throws {
        var machine = try TransferMachine.bytes(10..<30, of: 100)
        _ = machine.start()
        let head = ResponseHead.part(10..<30, of: 100, tag: "\"a\"")
        let notice = machine.exchange(head, bytes: 5, ending: .reset).notice
        #expect(notice?.delivered == 5)
        let request = machine.waited().request
        #expect(request?.range == 15..<30)
        #expect(request?.headers == [HeaderField("If-Range", "\"a\"")])
        let rest = ResponseHead.part(15..<30, of: 100, tag: "\"a\"")
        #expect(machine.exchange(rest, bytes: 15).result?.entityTag == "\"a\"")
    }

    @Test("does not put a weak tag into If-Range")
    func weakTag() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        _ = machine.exchange(.part(0..<20, of: 100, tag: "W/\"a\""), bytes: 5, ending: .reset)
        #expect(machine.waited().request?.headers == [])
    }

    @Test("takes a body that ends early for a broken connection, however politely it ends")
    func shortBody() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.answer(200), bytes: 60).notice?.delivered == 60)
        #expect(machine.waited().request?.range == 60..<100)
    }

    @Test("reads over what it has when a server without ranges begins anew")
    func restartedWhole() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.exchange(.answer(200), bytes: 60, ending: .reset)
        _ = machine.waited()
        _ = machine.receive(.answer(200))
        #expect(machine.receive(count: 50) == .discard)
        #expect(machine.receive(count: 30) == .deliver(skipping: 10))
        #expect(machine.receive(count: 20) == .deliver(skipping: 0))
        #expect(machine.end(.complete).result != nil)
    }

    @Test("reports a whole resource in answer to a part as ranges ignored")
    func rangesIgnored() throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        #expect(machine.receive(.answer(200, ["content-length": "100"])) == .stop)
        #expect(machine.end(.complete).error?.code == .rangesIgnored)
    }

    @Test(
        "refuses a partial answer that is not exactly what was asked for",
        arguments: [
            ("no Content-Range", ["content-length": "10"], ZooError.Code.rangeInvalid),
            ("malformed", ["content-range": "bytes 10-19"], .rangeInvalid),
            ("other start", ["content-range": "bytes 11-20/100"], .rangeInvalid),
            ("other end", ["content-range": "bytes 10-18/100"], .rangeInvalid),
            ("other unit", ["content-range": "items 10-19/100"], .rangeInvalid),
            ("unsatisfied", ["content-range": "bytes */100"], .rangeInvalid),
            ("length", ["content-range": "bytes 10-19/100", "content-length": "9"], .rangeInvalid),
            ("other total", ["content-range": "bytes 10-19/101"], .sizeMismatch),
            (
                "encoded", ["content-range": "bytes 10-19/100", "content-encoding": "gzip"],
                .contentEncoded
            ),
        ]
    )
    func wrongPart(label: String, headers: [String: String], code: ZooError.Code) throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        #expect(machine.receive(.answer(206, headers)) == .stop)
        #expect(machine.end(.complete).error?.code == code)
    }

    @Test("accepts a total that the server does not know")
    func unknownTotal() throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        let head = ResponseHead.answer(206, ["content-range": "bytes 10-19/*"])
        #expect(machine.exchange(head, bytes: 10).result != nil)
    }

    @Test("refuses a part that nobody asked for")
    func unaskedPart() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.part(0..<100, of: 100)).error?.code == .rangeInvalid)
    }

    @Test(
        "refuses a whole resource of another length, or encoded",
        arguments: [
            (["content-length": "99"], ZooError.Code.sizeMismatch),
            (["content-length": "101"], .sizeMismatch),
            (["content-encoding": "br"], .contentEncoded),
        ]
    )
    func wrongWhole(headers: [String: String], code: ZooError.Code) throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.answer(200, headers)).error?.code == code)
    }

    @Test("stops at the first byte too many")
    func overlong() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.receive(.answer(200))
        #expect(machine.receive(count: 100) == .deliver(skipping: 0))
        #expect(machine.receive(count: 1) == .stop)
        #expect(machine.end(.complete).error?.code == .sizeMismatch)
    }

    @Test("never joins bytes under two tags", arguments: ["\"b\"", "W/\"a\"", nil])
    func changedTag(tag: String?) throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.exchange(.answer(200, ["etag": "\"a\""]), bytes: 60, ending: .reset)
        _ = machine.waited()
        let part = ResponseHead.part(60..<100, of: 100, tag: tag)
        var other = machine
        #expect(machine.exchange(part).error?.code == .resourceChanged)
        let whole = ResponseHead.answer(200, tag.map { ["etag": $0] } ?? [:])
        #expect(other.exchange(whole).error?.code == .resourceChanged)
    }

    @Test("explains 416 by the length that the server gives")
    func unsatisfiable() throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        var other = machine
        let shorter = ResponseHead.answer(416, ["content-range": "bytes */8"])
        #expect(machine.exchange(shorter).error?.code == .sizeMismatch)
        let same = ResponseHead.answer(416, ["content-range": "bytes */100"])
        #expect(other.exchange(same).error?.code == .rangeInvalid)
    }

    @Test(
        "is complete when the connection breaks after the last byte",
        arguments: [
            (10..<20, ResponseHead.part(10..<20, of: 100)), (0..<100, .answer(200)),
            (0..<0, .answer(200, ["content-length": "0"])),
        ]
    )
    func brokenAfterTheEnd(range: Range<Int>, head: ResponseHead) throws {
        let totalSize = range.isEmpty ? 0 : 100
        for end in [ExchangeEnd.reset, .failed(.transient(.stalled, "no data for 30.0 s"))] {
            var machine = try TransferMachine.bytes(range, of: totalSize)
            _ = machine.start()
            #expect(machine.exchange(head, bytes: range.count, ending: end).result != nil)
        }
    }

    @Test("is complete when the last byte of a resumed transfer is followed by a failure")
    func brokenAfterTheEndOfAResumption() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.exchange(.answer(200), bytes: 99, ending: .reset)
        #expect(machine.waited().request?.range == 99..<100)
        let last = ResponseHead.part(99..<100, of: 100)
        #expect(machine.exchange(last, bytes: 1, ending: .reset).result != nil)
    }

    @Test("never requests an empty or reversed range, wherever the connection breaks")
    func rangesAreNeverEmpty() throws {
        for broken in 0...100 {
            for isWhole in [true, false] {
                let range = isWhole ? 0..<100 : 5..<100
                let head = isWhole ? ResponseHead.answer(200) : .part(5..<100, of: 100)
                var machine = try TransferMachine.bytes(range, of: 100)
                _ = machine.start()
                let count = min(broken, range.count)
                let step = machine.exchange(head, bytes: count, ending: .reset)
                guard count < range.count else {
                    #expect(step.result != nil)
                    continue
                }
                #expect(step.notice != nil)
                let next = machine.waited().request
                #expect(
                    next?.range == (isWhole && count == 0 ? nil : range.lowerBound + count..<100)
                )
            }
        }
    }

    @Test("an attempt without a byte binds the next one to no version")
    func noByteNoBinding() throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        _ = machine.exchange(.part(10..<20, of: 100, tag: "\"a\""), ending: .reset)
        #expect(machine.waited().request?.headers == [])
        let other = ResponseHead.part(10..<20, of: 100, tag: "\"b\"")
        #expect(machine.exchange(other, bytes: 10).result?.entityTag == "\"b\"")
    }

    @Test("an attempt without a byte leaves the version that the caller wants")
    func wantedVersionStays() throws {
        var machine = TransferMachine(
            goal: .bytes(10..<20, totalSize: 100),
            from: try WebAddress(parsing: "https://zoo.example/blob"),
            headers: [],
            policy: TransferPolicy(),
            strongTag: "\"a\"",
            jitter: { 1 }
        )
        _ = machine.start()
        _ = machine.end(.reset)
        #expect(machine.waited().request?.headers == [HeaderField("If-Range", "\"a\"")])
        let other = ResponseHead.part(10..<20, of: 100, tag: "\"b\"")
        #expect(machine.exchange(other).error?.code == .resourceChanged)
    }

    @Test("refuses a total that changes between two attempts")
    func changedTotal() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.exchange(.answer(200), bytes: 60, ending: .reset)
        _ = machine.waited()
        let error = machine.exchange(.part(60..<100, of: 101)).error
        #expect(error?.code == .sizeMismatch)
    }

    @Test("refuses 416 on resuming, where the rest must exist")
    func unsatisfiableRest() throws {
        var machine = try TransferMachine.bytes(0..<100, of: 100)
        _ = machine.start()
        _ = machine.exchange(.answer(200), bytes: 60, ending: .reset)
        _ = machine.waited()
        let head = ResponseHead.answer(416, ["content-range": "bytes */60"])
        #expect(machine.exchange(head).error?.code == .sizeMismatch)
    }
}

@Suite("Transfer machine: lengths")
struct LengthRuleTests {
    @Test(
        "come from every honest answer",
        arguments: [
            (ResponseHead.part(0..<1, of: 100), 100), (.answer(200, ["content-length": "7"]), 7),
            (.answer(200, ["content-length": "0"]), 0),
            (.answer(416, ["content-range": "bytes */0"]), 0),
        ]
    )
    func lengths(head: ResponseHead, expected: Int) throws {
        var machine = try TransferMachine.length()
        #expect(machine.start().request?.range == 0..<1)
        #expect(machine.exchange(head).result?.length == expected)
    }

    @Test(
        "are refused from an answer that contradicts itself",
        arguments: [
            (
                ResponseHead.answer(416, ["content-range": "bytes */100"]),
                ZooError.Code.rangeInvalid
            ),
            (.answer(416), .rangeInvalid), (.answer(200), .replyMalformed),
            (.answer(206, ["content-range": "bytes 5-9/100"]), .replyMalformed),
            (.answer(206, ["content-range": "bytes 0-0/*"]), .replyMalformed),
            (.answer(200, ["content-length": "7", "content-type": "text/html"]), .webPage),
        ]
    )
    func contradictions(head: ResponseHead, code: ZooError.Code) throws {
        var machine = try TransferMachine.length()
        _ = machine.start()
        #expect(machine.exchange(head).error?.code == code)
    }
}
