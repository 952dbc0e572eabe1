// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: redirects")
struct RedirectRuleTests {
    private let token = HeaderField("authorization", "Bearer secret")
    private let language = HeaderField("Accept-Language", "en")

    private func redirect(_ location: String) -> ResponseHead {
        .answer(307, ["location": location])
    }

    @Test("follows these statuses and keeps the range", arguments: [301, 302, 303, 307, 308])
    func follows(status: Int) throws {
        var machine = try TransferMachine.bytes(10..<20, of: 100)
        _ = machine.start()
        let request = machine.exchange(.answer(status, ["location": "/moved"])).request
        #expect(request?.address.url == "https://zoo.example/moved")
        #expect(request?.range == 10..<20)
    }

    @Test("keeps If-Range on the way")
    func keepsCondition() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        _ = machine.exchange(.part(0..<20, of: 100, tag: "\"a\""), bytes: 5, ending: .reset)
        _ = machine.waited()
        let request = machine.exchange(redirect("/moved")).request
        #expect(request?.headers == [HeaderField("If-Range", "\"a\"")])
    }

    @Test(
        "sends credentials to the same scheme, host and port only",
        arguments: [
            ("/moved", true),
            ("https://zoo.example:443/moved", true),
            ("https://zoo.example:444/moved", false),
            ("https://cdn.example/moved", false),
        ]
    )
    func credentials(location: String, areSent: Bool) throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100, headers: [token, language])
        #expect(machine.start().request?.headers == [token, language])
        let request = machine.exchange(redirect(location)).request
        #expect(request?.headers == (areSent ? [token, language] : [language]))
    }

    @Test(
        "refuses to leave https, to leave the web, and to go nowhere",
        arguments: [
            ["location": "http://zoo.example/moved"], ["location": "file:///etc/passwd"],
            ["location": "https://user:secret@zoo.example/"], [:],
        ]
    )
    func refuses(headers: [String: String]) throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        #expect(machine.exchange(.answer(302, headers)).error?.code == .redirectRefused)
    }

    @Test("notices a circle")
    func circle() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        #expect(machine.exchange(redirect("/a")).request != nil)
        #expect(machine.exchange(redirect("/b")).request != nil)
        let error = machine.exchange(redirect("/a")).error
        #expect(error?.code == .redirectRefused)
        #expect(error?.message.contains("circle") == true)
    }

    @Test("follows ten redirects and no eleventh")
    func limit() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        for hop in 1...10 { #expect(machine.exchange(redirect("/\(hop)")).request != nil) }
        #expect(machine.exchange(redirect("/11")).error?.code == .redirectRefused)
    }

    @Test("starts every attempt at the original address, for targets may expire")
    func startsOver() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100, headers: [token])
        _ = machine.start()
        _ = machine.exchange(redirect("https://cdn.example/signed"))
        _ = machine.exchange(.part(0..<20, of: 100), bytes: 5, ending: .reset)
        let request = machine.waited().request
        #expect(request?.address.url == "https://zoo.example/blob")
        #expect(request?.range == 5..<20)
        #expect(request?.headers == [token])
    }

    @Test("does not show the signature in the address of an error")
    func hidesQuery() throws {
        var machine = try TransferMachine.bytes(0..<20, of: 100)
        _ = machine.start()
        _ = machine.exchange(redirect("https://cdn.example/signed?signature=secret"))
        let error = machine.exchange(.answer(403)).error
        #expect(error?.message == "https://cdn.example/signed: the server answered 403")
    }
}
