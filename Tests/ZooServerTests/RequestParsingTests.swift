// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@testable import ZooServer

private let hex = String(repeating: "0a", count: 32)

private func resource(at target: String) -> RegistryResource? {
    RequestTarget(parsing: target).flatMap(RegistryResource.init)
}

@Suite("A request")
struct RequestParsingTests {
    @Test(
        "reaches the paths of the registry layout",
        arguments: [
            "/zoo.json", "/oci-layout", "/index.json", "/index/ami/ball-drop.json",
            "/index/a/b.json.json", "/catalogue.json", "/blobs/sha256/\(hex)",
            "/tuf/timestamp.json", "/tuf/1.root.json", "/tuf/23.ami.json",
        ]
    )
    func reaches(_ path: String) throws {
        let found = try #require(resource(at: path))
        #expect("/" + found.path == path)
        #expect(resource(at: path + "?a=/../b") == found)
        #expect(resource(at: "HTTP://host:80" + path) == found)
    }

    @Test(
        "reaches nothing else",
        arguments: [
            "", "/", "*", "zoo.json", "//zoo.json", "/zoo.json/", "/./zoo.json", "/zoo%2ejson",
            "/ZOO.JSON", "/index/ami/../zoo.json", "/index/ami/ball-drop", "/index/ami/.json",
            "/index/Ami/ball-drop.json", "/index/ami/ball%2Ddrop.json", "/index//ball-drop.json",
            "/index/ami/ball-drop.json\0", "/blobs/sha256/\(hex)0", "/blobs/sha256/\(hex)/",
            "/blobs/sha256/..", "/blobs/sha256/\(hex.uppercased())", "/blobs/sha512/\(hex)",
            "/blobs/sha256//\(hex)", "/blobs/sha256%2f\(hex)", "/.git/config", "http://",
            "http://zoo.json", "ftp://host/zoo.json", "/zoo.json#a", "/tuf/root.json",
            "/tuf/01.root.json", "/tuf/0.root.json", "/tuf/1.json", "/tuf/1..json",
            "/tuf/1.root.json/",
            "/tuf/../zoo.json", "/tuf/.1.root.json", "/tuf/1.Ami.json", "/tuf/1.root.json.tmp",
        ]
    )
    func reachesNothingElse(_ target: String) {
        #expect(resource(at: target) == nil)
    }

    @Test(
        "may ask for one range",
        arguments: [
            ("bytes=0-0", ByteRangeRequest.span(first: 0, last: 0)),
            ("bytes=7-", .span(first: 7, last: nil)), ("bytes=-7", .suffix(count: 7)),
            ("BYTES=1-2", .span(first: 1, last: 2)), ("bytes= 1-2 ,", .span(first: 1, last: 2)),
            ("bytes=00-09", .span(first: 0, last: 9)),
            ("bytes=0-99999999999999999999", .span(first: 0, last: .max)),
            ("bytes=-99999999999999999999", .suffix(count: .max)),
        ]
    )
    func readsOneRange(_ header: String, _ range: ByteRangeRequest) {
        #expect(ByteRangeRequest(parsing: header) == range)
    }

    @Test(
        "gets everything for several ranges and for malformed ones",
        arguments: [
            "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=2-1", "bytes=1-2,4-5",
            "bytes=1--2", "bytes=+1-2", "bytes=0x1-2", "bytes=1 - 2", "items=1-2", "bytes:1-2",
            "bytes =1-2", "bytes=1-2, bytes=3-4", "bytes=\u{0661}-",
        ]
    )
    func ignores(_ header: String) {
        #expect(ByteRangeRequest(parsing: header) == nil)
    }

    @Test("gets the part of its range that exists")
    func resolvesRanges() {
        #expect(ByteRangeRequest.span(first: 2, last: .max).resolved(in: 10) == 2..<10)
        #expect(ByteRangeRequest.span(first: 9, last: nil).resolved(in: 10) == 9..<10)
        #expect(ByteRangeRequest.span(first: 10, last: nil).resolved(in: 10) == nil)
        #expect(ByteRangeRequest.span(first: .max, last: .max).resolved(in: 10) == nil)
        #expect(ByteRangeRequest.suffix(count: 3).resolved(in: 10) == 7..<10)
        #expect(ByteRangeRequest.suffix(count: .max).resolved(in: 10) == 0..<10)
        #expect(ByteRangeRequest.suffix(count: 0).resolved(in: 10) == nil)
    }

    @Test("names tags in lists, which may hold commas")
    func readsEntityTags() throws {
        let tag = EntityTag(ContentDigest(of: []))
        for header in ["*", tag.text, "\"a,b\", \(tag.text)", ",, \"\" ,W/\(tag.text),"] {
            let condition = EntityTag.Condition(parsing: header)
            #expect(condition.matches(tag) { $0.isWeakly($1) }, "\(header)")
        }
        for header in ["W/\(tag.text)", "w/\(tag.text)", tag.opaque, "\(tag.text) x", "\"", ""] {
            let condition = EntityTag.Condition(parsing: header)
            #expect(!condition.matches(tag) { $0.isStrongly($1) }, "\(header)")
        }
        #expect(EntityTag(parsing: tag.text) == tag)
        #expect(EntityTag(parsing: "\(tag.text), \"b\"") == nil)
        #expect(EntityTag(parsing: "Sat, 21 Nov 2026 00:00:00 GMT") == nil)
    }
}
