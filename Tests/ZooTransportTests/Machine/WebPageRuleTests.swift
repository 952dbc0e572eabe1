// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: web pages in place of files")
struct WebPageRuleTests {
    private static let html = ["content-type": "text/html; charset=utf-8"]

    @Test(
        "are known by their first bytes, with the type of a page and without a type",
        arguments: [
            "<!DOCTYPE html><html>", "<html lang=\"en\">", "\r\n  <!doctype HTML PUBLIC",
            "\u{FEFF}<!doctype html>",
        ]
    )
    func firstBytes(opening: String) throws {
        for headers in [Self.html, [:]] {
            var document = try TransferMachine.document()
            _ = document.start()
            let error = document.exchange(.answer(200, headers), opening: opening).error
            #expect(error?.code == .webPage)
            var blob = try TransferMachine.bytes(0..<100, of: 100)
            _ = blob.start()
            #expect(blob.exchange(.answer(200, headers), opening: opening).error?.code == .webPage)
        }
    }

    @Test("are known by their type where their length is not that of the resource")
    func otherLength() throws {
        let head = ResponseHead.answer(200, Self.html.merging(["content-length": "4000"]) { $1 })
        for range in [0..<100, 10..<20] {
            var machine = try TransferMachine.bytes(range, of: 100)
            _ = machine.start()
            #expect(machine.exchange(head).error?.code == .webPage)
        }
        var document = try TransferMachine.document(limit: 1000)
        _ = document.start()
        #expect(document.exchange(head).error?.code == .webPage)
    }

    @Test("are not seen in a file that a server gives a wrong type")
    func wrongType() throws {
        var document = try TransferMachine.document()
        _ = document.start()
        #expect(document.exchange(.answer(200, Self.html), opening: "{\"a\":1}").result != nil)
        var blob = try TransferMachine.bytes(0..<7, of: 7)
        _ = blob.start()
        let head = ResponseHead.answer(200, Self.html.merging(["content-length": "7"]) { $1 })
        #expect(blob.exchange(head, opening: "weights").result != nil)
    }

    @Test("are named with the address that they came from")
    func finalAddress() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        _ = machine.exchange(.answer(302, ["location": "https://portal.example/login?for=1"]))
        let error = machine.exchange(.answer(200, Self.html), opening: "<html>").error
        #expect(
            error?.message == "https://zoo.example/document: a web page came instead of the file, "
                + "from https://portal.example/login"
        )
        #expect(error?.remedy?.contains("browser") == true)
    }

    @Test("are announced by 511, which is not retried")
    func networkLogin() throws {
        var machine = try TransferMachine.document()
        _ = machine.start()
        #expect(machine.exchange(.answer(511)).error?.code == .webPage)
    }
}
