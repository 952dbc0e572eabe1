// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing

@testable import ZooTransport

@Suite("Response head")
struct ResponseHeadTests {
    private func read(_ lines: [String]) -> ResponseHead? {
        var reader = ResponseHeadReader()
        return lines.compactMap { reader.take($0 + "\r\n", at: 0) }.last
    }

    @Test("is complete at the empty line, with names in lower case and values trimmed")
    func readsLines() throws {
        let head = try #require(
            read(["HTTP/1.1 206 Partial Content", "ETag:  \"a\" ", "CONTENT-LENGTH: 7", ""])
        )
        #expect(head.status == 206)
        #expect(head.strongTag == "\"a\"")
        #expect(head.contentLength == 7)
    }

    @Test("reads a status line without reason, as HTTP/2 has it")
    func readsShortStatusLine() {
        #expect(read(["HTTP/2 200 ", ""])?.status == 200)
    }

    @Test("drops interim responses and what they said")
    func dropsInterim() throws {
        let lines = ["HTTP/1.1 103 Early Hints", "ETag: \"early\"", "", "HTTP/1.1 200 OK", ""]
        let head = try #require(read(lines))
        #expect(head.status == 200)
        #expect(head["etag"] == nil)
    }

    @Test("does not take trailers for a head")
    func ignoresTrailers() {
        #expect(read(["Digest: x", ""]) == nil)
    }

    @Test("knows strong tags from weak ones")
    func strongTags() {
        #expect(ResponseHead.answer(200, ["etag": "\"a\""]).strongTag == "\"a\"")
        #expect(ResponseHead.answer(200, ["etag": "W/\"a\""]).strongTag == nil)
        #expect(ResponseHead.answer(200).strongTag == nil)
    }

    @Test("reports an encoding only when one was applied")
    func encodings() {
        #expect(ResponseHead.answer(200, ["content-encoding": "gzip"]).appliedEncoding == "gzip")
        #expect(ResponseHead.answer(200, ["content-encoding": "Identity"]).appliedEncoding == nil)
        #expect(ResponseHead.answer(200).appliedEncoding == nil)
    }

    @Test(
        "reads Retry-After in seconds and as a date",
        arguments: [
            (["retry-after": "7"], Duration.seconds(7)),
            (["retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"], .seconds(30)),
            (
                [
                    "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT",
                    "date": "Wed, 21 Oct 2015 07:27:48 GMT",
                ], .seconds(12)
            ),
            (["retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"], .zero),
        ]
    )
    func readsRetryAfter(headers: [String: String], expected: Duration) {
        #expect(ResponseHead.answer(503, headers).retryAfter == expected)
    }

    @Test("ignores a Retry-After that is neither", arguments: ["soon", "-3", "1.5", ""])
    func ignoresOddRetryAfter(text: String) {
        #expect(ResponseHead.answer(503, ["retry-after": text]).retryAfter == nil)
    }
}
