// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooRegistry
import ZooServer

/// Uploads of archives of which the repository has blocks: `registry/SPEC.md` section 8.1.
@Suite("A block-wise upload")
struct BlockUploadTests {
    private let sample: SampleRelease
    /// Blocks of the published release, with new ones before, between and after them.
    private let archive: BlockArchive
    /// The new blocks of ``archive``.
    private let new = [0, 3, 4, 7]

    init() throws {
        sample = try SampleRelease()
        let old = try sample.weightBlocks()
        archive = BlockArchive(blocks: [
            noise(70_001, seed: 2), old[4], old[0], noise(100_000, seed: 3),
            noise(1, seed: 4), old[1], old[1], noise(300_000, seed: 5),
        ])
    }

    /// Runs `body` beside a server that has the release of ``sample``.
    private func serving(
        policy: any AccessPolicy = OpenPolicy.everything,
        _ body: (RunningServer, BlockUploadClient) async throws -> Void
    ) async throws {
        try await RunningServer.withRegistry(policy: policy) { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            try await body(server, BlockUploadClient(client, "ami/ball-drop", archive))
        }
    }

    /// The new blocks as ranges, adjacent ones together.
    private var missing: [Range<Int>] {
        let ranges = archive.ranges
        return [ranges[0], ranges[3].lowerBound..<ranges[4].upperBound, ranges[7]]
    }

    // MARK: What travels

    @Test("sends the blocks that the repository does not have, in any order")
    func reusesBlocks() async throws {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            try await serving { server, upload in
                let announced = try await upload.client.send("GET", "/v2/")
                #expect(announced.fields["ami-zoo-api"]?.contains("block-upload") == true)
                let start = try await upload.start()
                #expect(start.status == 202)
                #expect(try start.missing == missing)
                let location = try start.location
                #expect(start.fields["docker-upload-uuid"].map(location.hasSuffix) == true)
                for index in order {
                    let reply = try await upload.send(archive.ranges[new[index]], to: location)
                    #expect(reply.status == 202, "\(reply.text)")
                    #expect(try reply.location == location)
                }
                let state = try await upload.client.send("GET", location)
                #expect(state.status == 200)
                #expect(try state.missing == [])
                let end = try await upload.end(location)
                #expect(end.status == 201, "\(end.text)")
                #expect(end.fields["docker-content-digest"] == archive.digest.description)
                try await upload.expectServed()
                #expect(try await upload.client.send("GET", location).status == 404)
                #expect(try leftovers(server).isEmpty)
                // A finished upload is not started again.
                #expect(try await upload.start().status == 201)
                #expect(try leftovers(server).isEmpty)
            }
        }
    }

    private func leftovers(_ server: RunningServer) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(server.registry.root)/.uploads")
    }

    @Test("never reuses blocks of other repositories, and does not tell whether they exist")
    func isPrivate() async throws {
        try await serving { server, upload in
            for repository in ["ami/other", "other/ball-drop", "other/x/y"] {
                let other = BlockUploadClient(upload.client, repository, archive)
                let start = try await other.start()
                #expect(try start.missing == [0..<archive.bytes.count], "\(repository)")
                let end = try await other.end(try start.location)
                #expect(end.codes == ["BLOB_UPLOAD_INVALID", "upload.incomplete"])
            }
            // A table of another repository says nothing here either.
            let table = ContentDigest(of: archive.table.canonicalBytes)
            let hidden = BlockUploadClient(upload.client, "ami/third", archive)
            let refused = try await hidden.start(archive.digest, table)
            #expect(refused.status == 404)
            #expect(refused.codes == ["BLOB_UNKNOWN", "registry.blob-missing"])
            // An archive of another repository is not known in this one.
            let weights = try #require(sample.manifest.archives.first { $0.name == "weights" })
            let known = BlockArchive(blocks: try sample.weightBlocks())
            #expect(known.digest == weights.archive.digest)
            let again = BlockUploadClient(upload.client, "ami/other", known)
            #expect(try await again.start().missing == [0..<known.bytes.count])
            let own = BlockUploadClient(upload.client, "ami/ball-drop", known)
            #expect(try await own.start().status == 201)
        }
    }

    @Test("finds blocks without the block index, and with a damaged one")
    func needsNoDatabase() async throws {
        for damage in ["remove", "garbage", "folder"] {
            try await TestRegistry.withEmpty { registry in
                try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                    let reply = try await sample.publish(
                        with: OCIClient(url: server.url),
                        as: "1.1.0"
                    )
                    #expect(reply.status == 201)
                }
                let folder = "\(registry.root)/.metadata"
                try FileManager.default.removeItem(atPath: folder)
                switch damage {
                case "garbage":
                    try registry.write(noise(10_000), at: ".metadata/registry.sqlite")
                case "folder": try registry.write([], at: ".metadata/registry.sqlite/x")
                default: break
                }
                try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                    let client = OCIClient(url: server.url)
                    let upload = BlockUploadClient(client, "ami/ball-drop", archive)
                    let start = try await upload.start()
                    #expect(try start.missing == missing, "\(damage)")
                    try await complete(upload, try start.location)
                }
            }
        }
    }

    /// Sends what is missing and ends the upload.
    private func complete(_ upload: BlockUploadClient, _ location: String) async throws {
        for range in try await upload.client.send("GET", location).missing {
            #expect(try await upload.send(range, to: location).status == 202)
        }
        let end = try await upload.end(location)
        #expect(end.status == 201, "\(end.text)")
        try await upload.expectServed()
    }

    // MARK: Wrong bytes

    @Test("finds every wrong block, asks for it alone, and keeps the others")
    func refusesWrongBlocks() async throws {
        try await serving { server, upload in
            let location = try await upload.start().location
            for index in new {
                _ = try await upload.send(archive.ranges[index], to: location)
            }
            let folder = "\(server.registry.root)/.uploads/\(FileSystem.name(of: location))"
            for index in archive.blocks.indices {
                let range = archive.ranges[index]
                let place = Int.random(in: range)
                if try await isMissing(range, upload, location) {
                    var bytes = Array(archive.bytes[range])
                    bytes[place - range.lowerBound] ^= 1
                    #expect(try await upload.send(range, to: location, bytes).status == 202)
                } else {
                    // What a power failure, or somebody else, left in the place of the block.
                    let file = try OpenFile("\(folder)/data", .write)
                    try file.write([~archive.bytes[place]], at: place)
                    try OpenFile("\(folder)/states", .write).write(Array("+".utf8), at: index)
                }
                let end = try await upload.end(location)
                #expect(end.status == 400)
                #expect(end.codes == ["BLOB_UPLOAD_INVALID", "upload.block-mismatch"], "\(index)")
                let states = try FileSystem.document("\(folder)/states", limit: 100)
                #expect(states.filter { $0 == UInt8(ascii: "-") }.count == 1)
                #expect(states[index] == UInt8(ascii: "-"))
                if new.contains(index) {
                    #expect(try await isMissing(range, upload, location))
                    #expect(try await upload.send(range, to: location).status == 202)
                } else {
                    // The repository still has it.
                    #expect(try await isMissing(range, upload, location) == false)
                }
                let absent = "/v2/ami/ball-drop/blobs/\(archive.digest)"
                #expect(try await upload.client.send("HEAD", absent).status == 404)
            }
            try await complete(upload, location)
        }
    }

    private func isMissing(
        _ range: Range<Int>,
        _ upload: BlockUploadClient,
        _ location: String
    ) async throws -> Bool {
        try await upload.client.send("GET", location).missing.contains { $0.overlaps(range) }
    }

    @Test("of which the states claim blocks that never came is not believed")
    func provesEveryBlock() async throws {
        try await serving { server, upload in
            let location = try await upload.start().location
            let folder = "\(server.registry.root)/.uploads/\(FileSystem.name(of: location))"
            let count = archive.blocks.count
            try OpenFile("\(folder)/states", .write)
                .write([UInt8](repeating: UInt8(ascii: "+"), count: count), at: 0)
            #expect(try await upload.client.send("GET", location).missing == [])
            let end = try await upload.end(location)
            #expect(end.codes == ["BLOB_UPLOAD_INVALID", "upload.block-mismatch"])
            #expect(try await upload.client.send("GET", location).missing == missing)
            // States that mean nothing are those of missing blocks.
            try OpenFile("\(folder)/states", .write).write(noise(count), at: 0)
            #expect(try await upload.client.send("GET", location).missing == missing)
            try await complete(upload, location)
        }
    }

    @Test("whose table lists other bytes than the archive ends, and leaves no blob")
    func refusesOtherArchive() async throws {
        try await serving { server, upload in
            let stated = ContentDigest(of: noise(9))
            let table = archive.table(of: stated).canonicalBytes
            _ = try await upload.client.upload(table, to: "ami/ball-drop")
            let start = try await upload.start(stated, ContentDigest(of: table))
            let location = try start.location
            for index in new {
                _ = try await upload.send(archive.ranges[index], to: location)
            }
            let other = try await upload.end(location)
            #expect(other.status == 400)
            #expect(other.codes == ["DIGEST_INVALID", "upload.digest-mismatch"])
            let end = try await upload.client.send("PUT", location, body: [])
            #expect(end.codes == ["DIGEST_INVALID", "upload.digest-mismatch"])
            #expect(try await upload.client.send("GET", location).status == 404)
            for digest in [stated, archive.digest] {
                let blob = "/v2/ami/ball-drop/blobs/\(digest)"
                #expect(try await upload.client.send("HEAD", blob).status == 404)
            }
            #expect(try leftovers(server).isEmpty)
        }
    }

    @Test("never takes a damaged or removed source for the block")
    func losesSources() async throws {
        for loss in ["removed", "damaged", "truncated", "deleted"] {
            try await serving { server, upload in
                let location = try await upload.start().location
                for index in new {
                    _ = try await upload.send(archive.ranges[index], to: location)
                }
                #expect(try await upload.client.send("GET", location).missing == [])
                let weights = try #require(
                    sample.manifest.archives.first { $0.name == "weights" }
                ).archive.digest
                let path = "\(server.registry.root)/\(RegistryLayout.blob(weights))"
                try FileSystem.makeWritable(path)
                switch loss {
                case "removed": try FileSystem.remove(path)
                case "damaged":
                    // A byte in each of its blocks.
                    let file = try OpenFile(path, .write)
                    for place in stride(from: 0, to: try file.status().size, by: 10_000) {
                        try file.write([~(try file.bytes(place..<place + 1)[0])], at: place)
                    }
                case "truncated": try OpenFile(path, .write).resize(to: 10)
                default:
                    // 'registry delete' and 'registry gc' beside the server.
                    let registry = try RegistryFolder(opening: server.registry.root)
                    _ = try registry.delete(
                        try ModelName(parsing: "ami/ball-drop"),
                        try SemanticVersion(parsing: "1.1.0"),
                        at: Timestamp(secondsSince1970: 1_800_000_000),
                        Cancellation()
                    )
                    let cutoff = Int.max
                    _ = try registry.collect(olderThan: cutoff, dryRun: false, Cancellation())
                    #expect(try FileSystem.status(path) == nil)
                    // Collection takes uploads that are old enough as well.
                    #expect(try await upload.client.send("GET", location).status == 404)
                    let start = try await upload.start()
                    #expect(try start.missing == [0..<archive.bytes.count])
                    try await complete(upload, try start.location)
                    return
                }
                let end = try await upload.end(location)
                #expect(end.status == 400)
                #expect(end.codes == ["BLOB_UPLOAD_INVALID", "upload.incomplete"], "\(loss)")
                let state = try await upload.client.send("GET", location)
                let old = archive.blocks.indices.filter { !new.contains($0) }
                #expect(
                    try state.missing.reduce(0) { $0 + $1.count }
                        == old.reduce(0) { $0 + archive.blocks[$1].count }
                )
                // Also for a client that starts again.
                #expect(try await upload.start().missing == state.missing)
                try await complete(upload, location)
            }
        }
    }

    // MARK: Interruptions

    @Test("continues after a restart of the server and of the client")
    func continuesAfterRestart() async throws {
        try await TestRegistry.withEmpty { registry in
            var location = ""
            try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
                let upload = BlockUploadClient(client, "ami/ball-drop", archive)
                location = try await upload.start().location
                _ = try await upload.send(archive.ranges[3], to: location)
            }
            try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                let upload = BlockUploadClient(client, "ami/ball-drop", archive)
                let rest = [archive.ranges[0], archive.ranges[4], archive.ranges[7]]
                #expect(try await client.send("GET", location).missing == rest)
                // A client that lost the location.
                let again = try await upload.start()
                #expect(try again.location == location)
                #expect(try again.missing == rest)
                #expect(try leftovers(server).count == 1)
                try await complete(upload, location)
            }
        }
    }

    @Test("starts again from what an interrupted start, or damaged files, left")
    func startsAgain() async throws {
        for file in ["session.json", "blocks", "states", "data"] {
            for damage in ["remove", "empty", "cut"] {
                try await serving { server, upload in
                    let location = try await upload.start().location
                    let id = FileSystem.name(of: location)
                    let path = "\(server.registry.root)/.uploads/\(id)/\(file)"
                    switch damage {
                    case "remove": try FileSystem.remove(path)
                    case "empty": try OpenFile(path, .write).resize(to: 0)
                    default:
                        let file = try OpenFile(path, .write)
                        try file.resize(to: try file.status().size - 1)
                    }
                    let start = try await upload.start()
                    #expect(start.status == 202, "\(file) \(damage): \(start.text)")
                    #expect(try start.missing == missing, "\(file) \(damage)")
                    try await complete(upload, try start.location)
                }
            }
        }
    }

    @Test("keeps the blocks that arrived whole when the client breaks off")
    func keepsWholeBlocks() async throws {
        let blocks = (0..<40).map { noise(25_000, seed: UInt64($0 + 10)) }
        let archive = BlockArchive(blocks: blocks)
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            let upload = BlockUploadClient(client, "ami/x", archive)
            let location = try await upload.start().location
            let path = "\(server.registry.root)/bytes"
            try FileSystem.writeAtomically(path, archive.bytes)
            let broken = try await command(
                "curl",
                "-q",
                "-s",
                "-X",
                "PATCH",
                "--limit-rate",
                "300k",
                "--max-time",
                "1",
                "-H",
                "Content-Range: 0-999999",
                "--data-binary",
                "@\(path)",
                server.url + location
            )
            #expect(broken.status == 28)
            // The end of the connection is noticed a moment later.
            var state = try await client.send("GET", location)
            for _ in 0..<50 where try state.missing == [0..<1_000_000] {
                try await Task.sleep(for: .milliseconds(50))
                state = try await client.send("GET", location)
            }
            let rest = try #require(state.missing.first)
            #expect(rest.lowerBound > 0 && rest.lowerBound.isMultiple(of: 25_000))
            #expect(rest.upperBound == 1_000_000)
            try await complete(upload, location)
        }
    }

    @Test("takes several ranges at a time, and ends when none is on its way")
    func takesSeveralRanges() async throws {
        try await serving { server, upload in
            let location = try await upload.start().location
            let path = "\(server.registry.root)/bytes"
            let slow = archive.ranges[7]
            try FileSystem.writeAtomically(path, Array(archive.bytes[slow]))
            let task = Task {
                try await command(
                    "curl",
                    "-q",
                    "-s",
                    "-X",
                    "PATCH",
                    "--limit-rate",
                    "150k",
                    "-H",
                    "Content-Range: \(slow.lowerBound)-\(slow.upperBound - 1)",
                    "--data-binary",
                    "@\(path)",
                    server.url + location
                )
            }
            try await Task.sleep(for: .milliseconds(500))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in [0, 3, 4] {
                    group.addTask {
                        let reply = try await upload.send(archive.ranges[index], to: location)
                        #expect(reply.status == 202)
                    }
                }
                try await group.waitForAll()
            }
            for method in ["PUT", "DELETE"] {
                let reply = try await upload.client.send(method, location)
                #expect(reply.status == 409)
                #expect(reply.codes == ["BLOB_UPLOAD_INVALID", "upload.busy"])
                #expect(reply.fields["retry-after"] != nil)
            }
            #expect(try await task.value.status == 0)
            #expect(try await upload.end(location).status == 201)
            try await upload.expectServed()
        }
    }

    @Test("by two clients at once gives one whole archive")
    func hasTwoClients() async throws {
        try await serving { server, upload in
            _ = try await upload.start()
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var statuses: [Int] = []
                        for _ in 0..<50 {
                            let start = try await upload.start()
                            statuses.append(start.status)
                            guard start.status == 202 else {
                                if start.status == 409 { continue }
                                break
                            }
                            for range in try start.missing {
                                let reply = try await upload.send(range, to: try start.location)
                                #expect([202, 404, 409, 416].contains(reply.status))
                            }
                            let end = try await upload.end(try start.location)
                            #expect([201, 400, 404, 409].contains(end.status), "\(end.text)")
                        }
                        return statuses
                    }
                }
                for try await statuses in group { #expect(statuses.last == 201) }
            }
            try await upload.expectServed()
            #expect(try leftovers(server).isEmpty)
        }
    }
}
