// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting
import ZooTransport

/// Whatever way a release was installed, and whatever is then done to any byte of it: never a pass.
@Suite struct IntegrityPropertyTests {
    /// Every way that a release gets onto a machine.
    enum Route: String, CaseIterable, CustomTestStringConvertible {
        case whole, encoder, predictor, probe, twoComponents
        case wholeElsewhere, probeElsewhere
        case wholeResumed, probeAfterInterruptedWhole, wholeAfterInterruptedProbe
        case probeElsewhereAfterInterruptedWhole, wholeElsewhereAfterInterruptedProbe
        case fromAnotherVersion, repaired, repairedPart, compressed

        var testDescription: String { rawValue }

        var components: Set<String>? {
            switch self {
            case .encoder: ["encoder"]
            case .predictor: ["predictor"]
            case .twoComponents: ["encoder", "probe"]
            case .probe, .probeElsewhere, .probeAfterInterruptedWhole, .repairedPart,
                .probeElsewhereAfterInterruptedWhole:
                ["probe"]
            default: nil
            }
        }

        /// One route for each kind of result: what an installation holds, where it lies, how it was packed.
        ///
        /// ``IntegrityPropertyTests/noDamagePasses(route:)`` takes every route to the same bytes.
        static var results: [Route] {
            TestScale.isFull
                ? allCases : [.whole, .twoComponents, .probeElsewhere, .repairedPart, .compressed]
        }

        var isElsewhere: Bool { rawValue.contains("Elsewhere") }
    }

    private func puller(_ registry: TinyRegistry) -> Puller {
        Puller(
            registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
            store: store(registry)
        )
    }

    private func store(_ registry: TinyRegistry) -> ModelStore {
        ModelStore(root: registry.folder.path(of: "store"))
    }

    private func request(_ registry: TinyRegistry, _ components: Set<String>?, _ route: Route)
        throws
        -> PullRequest
    {
        var request = try PullRequest.of("ami/tiny:1.0.0")
        request.components = components
        request.streams = 1
        if route.isElsewhere { request.destination = registry.folder.path(of: "plant/model") }
        return request
    }

    /// Installs by a route; the result is checked byte by byte against what was published.
    private func install(_ registry: TinyRegistry, by route: Route) async throws -> InstalledRelease
    {
        try registry.publish("1.0.0", encoding: route == .compressed ? .zstd : .stored)
        let puller = puller(registry)
        switch route {
        case .wholeResumed, .probeAfterInterruptedWhole, .probeElsewhereAfterInterruptedWhole:
            try await interrupt(registry, try request(registry, nil, route), puller)
        case .wholeAfterInterruptedProbe, .wholeElsewhereAfterInterruptedProbe:
            try await interrupt(registry, try request(registry, ["probe"], route), puller)
        case .fromAnotherVersion:
            try registry.publish("0.9.0")
            _ = try await puller.pull(.of("ami/tiny:0.9.0"))
        default: break
        }
        let report = try await puller.pull(try request(registry, route.components, route))
        if route == .fromAnotherVersion { #expect(report.bytesReused > 0) }
        if route == .repaired || route == .repairedPart {
            try await repair(registry, report.path)
        }
        try requireReleasedBytes(registry, report.path, route)
        return try InstalledRelease(folder: report.path)
    }

    /// A pull that fails in the middle of the weights, because the registry is damaged there.
    private func interrupt(
        _ registry: TinyRegistry,
        _ request: PullRequest,
        _ puller: Puller
    ) async throws {
        let blobs = "\(registry.root)/\(RegistryLayout.blobs)"
        let weights = try FileSystem.names(in: blobs).map { "\(blobs)/\($0)" }
            .filter { try FileSystem.status($0)?.size ?? 0 > 6000 }
        let path = try #require(weights.max { try size($0) < size($1) })
        let sound = try FileSystem.document(path, limit: 1 << 30)
        try FileSystem.makeWritable(path)
        var damaged = sound
        // Past the encoder, inside what the probe needs.
        for index in sound.count - 1400..<sound.count - 1300 { damaged[index] ^= 0xFF }
        try FileSystem.writeAtomically(path, damaged)
        await #expect(throws: ZooError(.blockMismatch, "")) { try await puller.pull(request) }
        try FileSystem.writeAtomically(path, sound)
    }

    private func size(_ path: String) throws -> Int { try FileSystem.status(path)?.size ?? 0 }

    private func repair(_ registry: TinyRegistry, _ folder: String) async throws {
        let release = try InstalledRelease(folder: folder)
        let first = try #require(release.files.first { $0.size > 1000 }).path
        try Damage.flip(700, 3).apply(
            to: "\(folder)/\(first)",
            swap: nil,
            link: registry.folder.path(of: "linked")
        )
        let second = try #require(release.files.last { $0.path.text == "README.md" }).path
        try FileSystem.remove("\(folder)/\(second)")
        let store = store(registry)
        let target = try RepairTarget(folder: folder, reference: nil, in: store)
        let report = try await Repairer(
            registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
            store: store
        ).repair(target)
        #expect(Set(report.repaired).isSuperset(of: [first.text, second.text]))
        #expect(report.bytesDownloaded < 4000)
    }

    private func requireReleasedBytes(
        _ registry: TinyRegistry,
        _ folder: String,
        _ route: Route
    ) throws {
        let release = try InstalledRelease(folder: folder)
        for file in release.files {
            let source = try registry.folder.read("model-1.0.0/\(file.path)")
            #expect(try FileSystem.document("\(folder)/\(file.path)", limit: 1 << 20) == source)
        }
        let found = try FileSystem.files(below: folder).filter { !$0.hasPrefix(".ami-zoo/") }
        #expect(found == release.files.map(\.path.text).sorted())
        #expect(release.components == route.components)
        let parent = FileSystem.parent(of: folder)
        #expect(try FileSystem.names(in: parent).filter { $0.hasPrefix(".ami-zoo-staging") } == [])
        // The whole model and a part of it go to different folders of the store, and what was
        // interrupted waits for the pull that continues it.
        let waiting =
            [.probeAfterInterruptedWhole, .wholeAfterInterruptedProbe].contains(route) ? 2 : 0
        #expect(
            try FileSystem.names(in: registry.folder.path(of: "store/staging")).count == waiting
        )
    }

    private func anchors(
        _ registry: TinyRegistry,
        _ release: InstalledRelease
    ) async throws -> [VerificationAnchor] {
        try await AnchorSearch(store: store(registry)).anchors(of: release).all
    }

    // MARK: One thing at a time

    /// Each file × each region × each kind of damage, one verification each.
    @Test(arguments: Route.allCases)
    func noDamagePasses(route: Route) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let release = try await install(registry, by: route)
            try registry.publish("2.0.0")
            let other = try await puller(registry).pull(.of("ami/tiny:2.0.0")).path
            let anchors = try await anchors(registry, release)
            #expect(anchors[0].kind == (route.isElsewhere ? .folder : .store))
            let sound = try await verify(release, anchors)
            #expect(sound.passed)
            #expect(sound.findings == [])
            var cases = 0
            for file in release.files {
                let path = "\(release.folder)/\(file.path)"
                let bytes = try FileSystem.document(path, limit: 1 << 20)
                for damage in Damage.all(of: file, in: release) {
                    guard
                        try damage.apply(
                            to: path,
                            swap: "\(other)/\(file.path)",
                            link: folder.path(of: "linked")
                        )
                    else {
                        continue
                    }
                    let result = try await verify(release, anchors)
                    #expect(!result.passed, "\(route): \(file.path) \(damage)")
                    #expect(
                        result.findings.contains { $0.message.contains("'\(file.path)'") },
                        "\(route): \(file.path) \(damage) is not named"
                    )
                    try FileSystem.remove(path)
                    try FileSystem.writeAtomically(path, bytes)
                    cases += 1
                }
            }
            #expect(try await verify(release, anchors).passed)
            #expect(cases >= 60)
        }
    }

    private func verify(
        _ release: InstalledRelease,
        _ anchors: [VerificationAnchor]
    ) async throws -> Verification {
        try await ReleaseVerifier(release, anchors: anchors, workers: 1).verify()
    }

    // MARK: Every bit

    /// Every bit of every byte of every file, many in one verification: each damaged block, or file where
    /// its blocks cannot be read, must be among the findings, and nothing else.
    @Test(arguments: Route.results)
    func everyBitOfEveryFileCounts(route: Route) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let release = try await install(registry, by: route)
            let anchors = try await anchors(registry, release)
            var sound: [String: [UInt8]] = [:]
            for file in release.files {
                sound[file.path.text] =
                    try FileSystem.document("\(release.folder)/\(file.path)", limit: 1 << 20)
            }
            let places = try Damage.blockParts(of: release)
            let longest = places.map(\.range.count).max() ?? 0
            var flips = 0
            for step in 0..<longest {
                for bit in Self.bits(step) {
                    var damaged = sound
                    var expected: Set<String> = []
                    for place in places where step < place.range.count {
                        damaged[place.path]?[place.range.lowerBound + step] ^= 1 << UInt8(bit)
                        expected.insert(place.path)
                        flips += 1
                    }
                    for (path, bytes) in damaged where bytes != sound[path] {
                        try OpenFile("\(release.folder)/\(path)", .write).write(bytes, at: 0)
                    }
                    let result = try await verify(release, anchors)
                    #expect(!result.passed)
                    let named = expected.filter { path in
                        result.findings.contains { $0.message.contains("'\(path)'") }
                    }
                    #expect(named == expected, "\(route): byte \(step), bit \(bit)")
                    for (path, bytes) in damaged where bytes != sound[path] {
                        try OpenFile("\(release.folder)/\(path)", .write)
                            .write(sound[path] ?? [], at: 0)
                    }
                }
            }
            #expect(try await verify(release, anchors).passed)
            #expect(flips >= release.files.reduce(0) { $0 + $1.size })
        }
    }

    /// All eight bits where that is wanted; one of them, in turn, for a quick run.
    private static func bits(_ step: Int) -> [Int] {
        ProcessInfo.processInfo.environment["AMI_ZOO_TEST_EVERY_BIT"] == nil
            ? [step % 8] : Array(0..<8)
    }

    // MARK: Documents

    /// Every byte of every document beside the files, with what the store recorded as the anchor.
    @Test(arguments: [Route.whole, .probe, .repaired])
    func noChangedDocumentPasses(route: Route) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let release = try await install(registry, by: route)
            let store = store(registry)
            for name in release.documentNames {
                let path = "\(release.folder)/\(name)"
                let sound = try FileSystem.document(path, limit: 1 << 20)
                let step = max(1, sound.count / 40)
                var changes = Array(stride(from: 0, to: sound.count, by: step)).map { offset in
                    var bytes = sound
                    bytes[offset] ^= 1
                    return bytes
                }
                changes += [Array(sound.dropLast()), sound + [0x20], [], [0]]
                for bytes in changes {
                    try FileSystem.writeAtomically(path, bytes)
                    let subject = try VerificationSubject("ami/tiny:1.0.0", in: store)
                    let result = try await subject.verify(AnchorSearch(store: store), deep: false)
                    #expect(!result.passed, "\(name)")
                }
                try FileSystem.remove(path)
                let subject = try VerificationSubject("ami/tiny:1.0.0", in: store)
                #expect(
                    try await !subject.verify(AnchorSearch(store: store), deep: false).passed,
                    "\(name) is missing"
                )
                try FileSystem.writeAtomically(path, sound)
            }
        }
    }
}
