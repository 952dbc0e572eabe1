// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// Fetches the missing blocks of one archive over several streams from all sources.
struct ArchiveFetcher: Sendable {
    let archive: ArchivePlan
    let sources: SourcePool
    let ledger: BlockLedger
    /// The number of streams; nil for one that adapts to the line.
    let streams: Int?
    /// The missing bytes from which on mirrors are used from the start.
    let mirroredSize: Int
    let report: @Sendable (PullEvent) -> Void
    private let decoders = BlockDecoders()

    /// The number of attempts per block before the next source is tried.
    private static let attemptsPerSource = 2

    /// Fetches every missing block.
    ///
    /// - Throws: ``ZooError`` with code `archive.block-mismatch` when every source sends wrong bytes
    ///   for a block, or the failure of the registry itself.
    func fetch() async throws {
        if archive.missingBytes(ledger) >= mirroredSize { await sources.addMirrors() }
        while !archive.missingRuns(ledger).isEmpty {
            do {
                try await fetchRuns()
            } catch let last as SourcePool.WholeOnly {
                try await fetchWhole(last.lease)
            }
        }
    }

    private static func isWorthAnotherSource(_ error: ZooError) -> Bool {
        // The bytes match the release, so the release itself is wrong and other sources do not help.
        if error.code == .memberMismatch { return false }
        return switch error.code.category {
        case .unreachable, .notFound, .integrity, .notPermitted: true
        case .usage, .badData, .inputOutput: false
        }
    }

    /// Fetches one stream of the whole archive, from which blocks already in place are skipped.
    private func fetchWhole(_ lease: SourcePool.Lease) async throws {
        let receiver = BlockReceiver(archive, ledger: ledger, decoders)
        let blocks = 0..<archive.table.blocks.count
        do {
            try await fetch(blocks, whole: true, from: lease.source, receiver)
            sources.end(lease, delivered: nil)
        } catch let error as ZooError where Self.isWorthAnotherSource(error) {
            sources.exclude(lease, for: error)
        }
    }

    // MARK: Streams

    private enum Event {
        case streamEnded
        case intervalEnded
    }

    private func fetchRuns() async throws {
        var width = StreamWidth(fixed: streams)
        let queue = BlockRunQueue(archive.missingRuns(ledger, for: width.current))
        var meter = LoadMeter()
        var received = ledger.totals.downloaded
        try await withThrowingTaskGroup(of: Event.self) { group in
            for _ in 0..<width.current { group.addTask { try await stream(queue) } }
            group.addTask { try await interval() }
            while let event = try await group.next(), !queue.isFinished {
                guard event == .intervalEnded else { continue }
                let total = ledger.totals.downloaded
                let (seconds, load) = meter.next()
                let change = width.observe(rate: Double(total - received) / seconds, load: load)
                received = total
                if change < 0 { queue.dismiss(-change) }
                for _ in 0..<max(0, change) { group.addTask { try await stream(queue) } }
                group.addTask { try await interval() }
            }
            // A stream may still fetch what another has finished.
            group.cancelAll()
        }
    }

    private func interval() async throws -> Event {
        try await Task.sleep(for: StreamWidth.interval)
        return .intervalEnded
    }

    /// Fetches runs until none is left.
    private func stream(_ queue: BlockRunQueue) async throws -> Event {
        let receiver = BlockReceiver(archive, ledger: ledger, decoders)
        while let job = try await queue.next() {
            let lease: SourcePool.Lease
            do {
                lease = try await sources.lease()
            } catch {
                queue.giveBack(job)
                throw error
            }
            do {
                for blocks in archive.missingRuns(ledger, in: job.blocks) {
                    try await fetch(blocks, whole: false, from: lease.source, receiver)
                }
                sources.end(lease, delivered: archive.archiveRange(of: job.blocks).count)
                queue.finish(job)
            } catch let error as ZooError where error.code.rawValue == "transport.ranges-ignored" {
                sources.excludeFromRanges(lease)
                queue.giveBack(job)
            } catch let error as ZooError where Self.isWorthAnotherSource(error) {
                sources.exclude(lease, for: error)
                queue.giveBack(job)
            } catch {
                sources.end(lease, delivered: nil)
                queue.giveBack(job)
                throw error
            }
        }
        return .streamEnded
    }

    /// Streams consecutive blocks and restarts at a block that arrived damaged.
    private func fetch(
        _ blocks: Range<Int>,
        whole: Bool,
        from source: any RegistrySource,
        _ receiver: BlockReceiver
    ) async throws {
        var start = blocks.lowerBound
        while start < blocks.upperBound {
            receiver.expect((whole ? 0 : start)..<blocks.upperBound)
            let range = whole ? nil : archive.archiveRange(of: start..<blocks.upperBound)
            do {
                try await source.stream(
                    (archive.digest, archive.table.archiveSize),
                    of: archive.model,
                    range: range
                ) { try receiver.receive($0) }
                start = blocks.upperBound
            } catch let damage as DamagedBlock {
                start = damage.block
                try judge(damage, source)
            }
        }
    }

    private func judge(_ damage: DamagedBlock, _ source: any RegistrySource) throws {
        let block = archive.table.blocks[damage.block]
        let files = archive.folder.paths(in: block.rawRange).map { "'\($0)'" }
        let place =
            "block \(damage.block) of archive '\(archive.name)' (bytes "
            + "\(block.archiveRange.lowerBound)–\(block.archiveRange.upperBound - 1), of "
            + "\(files.joined(separator: ", ")))"
        let failures = ledger.failed(archive.index(of: damage.block))
        guard failures % Self.attemptsPerSource != 0 else {
            throw ZooError(
                damage.error.code,
                "\(source.address) sends wrong bytes for \(place)",
                remedy: "try again later; if the error persists, tell the owner of the registry. "
                    + "Verified blocks are kept, and nothing damaged was installed",
                cause: damage.error
            )
        }
        report(.damaged("\(source.address) sent wrong bytes for \(place); fetching it again"))
    }
}
