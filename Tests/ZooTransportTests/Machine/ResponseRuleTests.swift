// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooTransport

@Suite("Transfer machine: requests whose status is the caller's")
struct ResponseRuleTests {
    private static let methods = [
        HTTPRequest.Method.get, .head, .post, .put, .patch, .delete,
    ]
    private static let idempotent = [HTTPRequest.Method.get, .head, .put, .delete]
    private static let others = [HTTPRequest.Method.post, .patch]

    @Test("hand over every final status", arguments: methods)
    func statuses(method: HTTPRequest.Method) throws {
        for status in [200, 201, 202, 204, 400, 401, 403, 404, 409, 413, 416, 422] {
            var machine = try TransferMachine.response(to: method)
            #expect(machine.start().request?.method == method)
            #expect(machine.exchange(.answer(status)).result?.head?.status == status)
        }
    }

    @Test("retry idempotent requests after any transient failure", arguments: idempotent)
    func repeats(method: HTTPRequest.Method) throws {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            var machine = try TransferMachine.response(to: method)
            _ = machine.start()
            #expect(machine.exchange(.answer(status)).notice != nil)
            #expect(machine.waited().request?.method == method)
        }
        var machine = try TransferMachine.response(to: method)
        _ = machine.start()
        #expect(machine.end(.reset).notice != nil)
    }

    @Test("do not repeat a request that may have arrived and is not idempotent", arguments: others)
    func doesNotRepeat(method: HTTPRequest.Method) throws {
        let ends = [
            ExchangeEnd.reset, .complete, .failed(.transient(.stalled, "no data for 30.0 s")),
        ]
        for (end, code) in zip(ends, [ZooError.Code.interrupted, .interrupted, .stalled]) {
            var machine = try TransferMachine.response(to: method)
            _ = machine.start()
            let error = try #require(machine.end(end).error)
            #expect(error.code == code)
            #expect(
                error.message.contains("the server may have carried out the \(method.rawValue)")
            )
        }
        for status in [408, 500, 502, 503, 504] {
            var machine = try TransferMachine.response(to: method)
            _ = machine.start()
            #expect(machine.exchange(.answer(status)).result?.head?.status == status)
        }
    }

    @Test("repeat any request that did not arrive", arguments: others)
    func repeatsUnsent(method: HTTPRequest.Method) throws {
        for failure in [
            TransferFailure.transient(.hostUnknown, "no such host"),
            .transient(.connectionFailed, "connection refused"),
        ] {
            var machine = try TransferMachine.response(to: method)
            _ = machine.start()
            #expect(machine.end(.failed(failure)).notice != nil)
        }
    }

    @Test(
        "repeat any request that the server declined for now",
        arguments: others,
        [429, 503]
    )
    func repeatsDeclined(method: HTTPRequest.Method, status: Int) throws {
        var machine = try TransferMachine.response(to: method)
        _ = machine.start()
        let notice = machine.exchange(.answer(status, ["retry-after": "3"])).notice
        #expect(notice?.delay == .seconds(3))
    }

    @Test("repeat a PATCH that the caller calls idempotent")
    func idempotentPatch() throws {
        var machine = try TransferMachine.response(to: .patch, isIdempotent: true)
        _ = machine.start()
        #expect(machine.end(.reset).notice != nil)
    }

    @Test("keep method and drop credentials when 307 and 308 lead to another origin")
    func redirects() throws {
        let headers = [
            HeaderField("Authorization", "Bearer secret"), HeaderField("Content-Type", "a/b"),
        ]
        for status in [307, 308] {
            for method in Self.methods {
                var machine = try TransferMachine.response(to: method, headers: headers)
                _ = machine.start()
                let head = ResponseHead.answer(status, ["location": "https://other.example/x"])
                let request = machine.exchange(head).request
                #expect(request?.method == method)
                #expect(request?.headers == [headers[1]])
            }
        }
    }

    @Test("do not follow redirects that may turn an upload into a GET", arguments: [301, 302, 303])
    func ambiguousRedirects(status: Int) throws {
        let head = ResponseHead.answer(status, ["location": "/x"])
        for method in Self.methods {
            var machine = try TransferMachine.response(to: method)
            _ = machine.start()
            let step = machine.exchange(head)
            if method.isSafe {
                #expect(step.request?.method == method)
            } else {
                #expect(step.error?.code == .redirectRefused)
            }
        }
    }

    @Test("refuse a longer body than allowed, and cut that of an error")
    func limits() throws {
        var declared = try TransferMachine.response(to: .get, limit: 10)
        _ = declared.start()
        let head = ResponseHead.answer(200, ["content-length": "11"])
        #expect(declared.exchange(head).error?.code == .documentTooLarge)
        var undeclared = try TransferMachine.response(to: .get, limit: 10)
        _ = undeclared.start()
        #expect(undeclared.exchange(.answer(200), bytes: 11).error?.code == .documentTooLarge)
        var failed = try TransferMachine.response(to: .get, limit: 10)
        _ = failed.start()
        #expect(failed.receive(.answer(400)) == .deliver(skipping: 0))
        #expect(failed.receive(count: 11) == .deliver(skipping: 0))
        #expect(failed.receive(count: 1) == .stop)
        #expect(failed.end(.complete).result?.head?.status == 400)
    }

    @Test("do not take a proxy's request for a login as the server's answer")
    func proxyLogin() throws {
        var machine = try TransferMachine.response(to: .put)
        _ = machine.start()
        #expect(machine.exchange(.answer(407)).error?.code == .proxyLoginRequired)
    }

    @Test(
        "explain a status of failure when the caller requires success",
        arguments: [
            (400, ZooError.Code.statusUnexpected), (401, .loginRequired), (403, .forbidden),
            (404, .resourceNotFound), (413, .bodyTooLarge), (500, .serverUnavailable),
            (503, .serverUnavailable), (507, .serverFull),
        ]
    )
    func requireSuccess(status: Int, code: ZooError.Code) throws {
        let response = HTTPResponse(
            head: .answer(status, ["www-authenticate": "Bearer x"]),
            address: try WebAddress(parsing: "https://zoo.example/upload"),
            body: []
        )
        let error = #expect(throws: ZooError(code, "")) { try response.requireSuccess() }
        #expect(error?.message.hasPrefix("https://zoo.example/upload: ") == true)
        #expect(error?.remedy != nil)
        if status == 401 {
            #expect((error?.cause as? AuthenticationChallenge)?.value == "Bearer x")
        }
    }
}
