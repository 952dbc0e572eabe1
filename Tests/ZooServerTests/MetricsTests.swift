// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer

/// A page in the Prometheus text format, version 0.0.4, parsed strictly.
///
/// Source: Prometheus documentation, "Exposition formats".
struct MetricsPage {
    private(set) var types: [String: String] = [:]
    private(set) var values: [String: Double] = [:]

    struct Malformed: Error { let line: String }

    init(parsing text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: "no line feed at the end") }
        var helped: Set<String> = []
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /# HELP ([a-z_]+) (.+)/) {
                guard helped.insert(String(match.1)).inserted, types[String(match.1)] == nil
                else { throw Malformed(line: String(line)) }
            } else if let match = line.wholeMatch(
                of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/
            ) {
                guard types.updateValue(String(match.2), forKey: String(match.1)) == nil
                else { throw Malformed(line: String(line)) }
            } else {
                try addSample(String(line))
            }
        }
        #expect(helped == Set(types.keys))
    }

    private mutating func addSample(_ line: String) throws {
        let sample = /([a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? ([0-9.e+-]+)/
        guard let match = line.wholeMatch(of: sample), let value = Double(match.4), value >= 0
        else { throw Malformed(line: line) }
        let name = String(match.1)
        let family = name.replacing(/_(bucket|sum|count)$/, with: "")
        guard types[name] != nil || types[family] == "histogram",
            values.updateValue(value, forKey: name + (match.2 ?? "")) == nil
        else { throw Malformed(line: line) }
    }

    /// The value of a series; 0 without it.
    subscript(_ series: String) -> Double { values[series] ?? 0 }
}

@Suite("Metrics")
struct MetricsTests {
    private func page(of server: RunningServer) async throws -> MetricsPage {
        let reply = try await curl("\(server.url)/metrics")
        #expect(reply.status == 200)
        #expect(reply.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(reply.fields["cache-control"] == "no-cache")
        return try MetricsPage(parsing: reply.text)
    }

    @Test("count requests by kind and status, bytes and seconds")
    func countsRequests() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let blob = try server.registry.add(zeros: 3 << 20)
            let before = try await page(of: server)
            for _ in 0..<3 { #expect(try await curl("\(server.url)/\(blob)").status == 200) }
            for method in ["GET", "PROPFIND", "DELETE"] {
                _ = try await curl("\(server.url)/none", "-X", method)
            }
            let client = OCIClient(url: server.url)
            let uploaded = try await client.upload(noise(2 << 20), to: "ami/ball-drop")
            #expect(uploaded.status == 201)
            #expect(try await server.eventually { server.log.all.count == 8 })
            let after = try await page(of: server)
            func growth(_ series: String) -> Double { after[series] - before[series] }
            // The page before is counted as well.
            #expect(growth(#"ami_zoo_http_requests_total{method="read",status="200"}"#) == 4)
            #expect(growth(#"ami_zoo_http_requests_total{method="read",status="404"}"#) == 1)
            #expect(growth(#"ami_zoo_http_requests_total{method="other",status="405"}"#) == 1)
            #expect(growth(#"ami_zoo_http_requests_total{method="delete",status="405"}"#) == 1)
            #expect(growth(#"ami_zoo_http_requests_total{method="write",status="201"}"#) == 1)
            #expect(growth(#"ami_zoo_http_request_seconds_count{method="read"}"#) == 5)
            #expect(growth(#"ami_zoo_http_request_seconds_sum{method="read"}"#) > 0)
            let sent = growth("ami_zoo_http_sent_bytes_total")
            #expect(sent > Double(9 << 20) && sent < Double(9 << 20) + 64_000)
            let received = growth("ami_zoo_http_received_bytes_total")
            #expect(received > Double(2 << 20) && received < Double(2 << 20) + 64_000)
        }
    }

    @Test("have cumulative buckets that end with the count")
    func hasCumulativeBuckets() async throws {
        try await RunningServer.with { server in
            for _ in 0..<5 { _ = try await curl("\(server.url)/zoo.json") }
            #expect(try await server.eventually { server.log.all.count == 5 })
            let page = try await page(of: server)
            #expect(page.types["ami_zoo_http_request_seconds"] == "histogram")
            let buckets: [(bound: Double, count: Double)] = page.values.compactMap {
                series,
                value in
                let bucket = /ami_zoo_http_request_seconds_bucket\{method="read",le="(.+)"\}/
                guard let match = series.wholeMatch(of: bucket) else { return nil }
                return (Double(match.1.replacing("+Inf", with: "inf")) ?? .nan, value)
            }.sorted { $0.bound < $1.bound }
            #expect(buckets.count > 10)
            #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.count <= $1.count })
            #expect(buckets.last?.bound == .infinity)
            #expect(buckets.last?.count == 5)
            #expect(page[#"ami_zoo_http_request_seconds_count{method="read"}"#] == 5)
        }
    }

    @Test("count uploads that are not complete, publications, and what was refused")
    func countsPublications() async throws {
        try await TestRegistry.with { registry in
            // The version is new only in a registry without the model.
            try FileManager.default.removeItem(atPath: "\(registry.root)/index/ami/ball-drop.json")
            try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                var page = try await page(of: server)
                #expect(page["ami_zoo_uploads_incomplete"] == 0)
                #expect(page.values[#"ami_zoo_publications_total{result="accepted"}"#] == 0)
                #expect(page.values[#"ami_zoo_publications_total{result="refused"}"#] == 0)
                let location = try await client.start("ami/ball-drop")
                #expect(try await self.page(of: server)["ami_zoo_uploads_incomplete"] == 1)
                #expect(try await client.send("DELETE", location).status == 204)
                let release = try SampleRelease()
                #expect(try await release.publish(with: client, as: "1.1.0").status == 201)
                let other = try await client.put(release.bytes, as: "9.9.9", to: "ami/ball-drop")
                #expect(other.status == 400)
                page = try await self.page(of: server)
                #expect(page["ami_zoo_uploads_incomplete"] == 0)
                #expect(page[#"ami_zoo_publications_total{result="accepted"}"#] == 1)
                #expect(page[#"ami_zoo_publications_total{result="refused"}"#] == 1)
                #expect(page[#"ami_zoo_publications_total{result="failed"}"#] == 0)
            }
        }
    }

    @Test("have a fixed number of series, whatever clients send")
    func boundsSeries() async throws {
        try await RunningServer.with { server in
            func askAll() async throws -> Int {
                for index in 0..<10 {
                    _ = try await curl("\(server.url)/index/a/n\(index).json?x=\(UUID())")
                    _ = try await curl("\(server.url)/v2/a/n\(index)/tags/list", "-X", "M\(index)")
                }
                return try await page(of: server).values.count
            }
            let count = try await askAll()
            // The requests for this page are in it from now on.
            _ = try await page(of: server)
            let more = try await askAll()
            #expect(more - count <= 1)
            #expect(try await askAll() == more)
        }
    }

    @Test("are for those who may read everything")
    func isNotForEverybody() async throws {
        try await RunningServer.with(policy: OneOpenNamespace()) { server in
            #expect(try await curl("\(server.url)/index/ami/ball-drop.json").status == 200)
            let reply = try await curl("\(server.url)/metrics")
            #expect(reply.status == 401)
            #expect(reply.fields["www-authenticate"] == "Bearer realm=\"\(server.url)/token\"")
            #expect(reply.text.contains("server.unauthorized"))
            #expect(!reply.text.contains("ami_zoo"))
            let token = "Authorization: Bearer all"
            #expect(try await curl("\(server.url)/metrics", "-H", token).status == 200)
        }
        try await RunningServer.with(policy: OneOpenNamespace(challenges: false)) { server in
            let reply = try await curl("\(server.url)/metrics")
            #expect(reply.status == 403)
            #expect(reply.text.contains("server.access-denied"))
        }
    }

    @Test("take GET and HEAD only")
    func isReadOnly() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let head = try await curl("\(server.url)/metrics", "--head")
            #expect(head.status == 200)
            let change = try await curl("\(server.url)/metrics", "-d", "x")
            #expect(change.status == 405)
        }
    }
}
