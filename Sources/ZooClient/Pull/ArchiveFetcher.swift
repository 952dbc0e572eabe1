// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooStore

/// Fetches the missing blocks of one archive from the best source that has them.
struct ArchiveFetcher: Sendable {
    let archive: ArchivePlan
    let registry: Registry
    let ledger: BlockLedger
    let streams: Int
    let report: @Sendable (PullEvent) -> Void

    /// The number of attempts per block and source before the next source is tried.
    private static let attemptsPerSource = 2

    /// Fetches every missing block.
    ///
    /// - Throws: ``ZooError`` with code `archive.block-mismatch` when every source sends wrong bytes
    ///   for a block, or the failure of the last source.
    func fetch() async throws {
        var failure: (any Error)?
        var mirrors: [any RegistrySource]?
        var source = registry.source
        while !archive.missingRuns(ledger).isEmpty {
            do {
                try await fetch(from: source)
            } catch let error as ZooError where Self.isWorthAnotherSource(error) {
                failure = failure ?? error
                if mirrors == nil { mirrors = await registry.mirrors() }
                guard let next = mirrors?.first else { throw failure ?? error }
                mirrors?.removeFirst()
                source = next
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

    private func fetch(from source: any RegistrySource) async throws {
        do {
            try await fetchRuns(from: source)
        } catch let error as ZooError where error.code.rawValue == "transport.ranges-ignored" {
            // One stream of the whole archive, from which blocks already in place are skipped.
            let receiver = BlockReceiver(archive, ledger: ledger)
            try await fetch(0..<archive.table.blocks.count, whole: true, from: source, receiver)
        }
    }

    private func fetchRuns(from source: any RegistrySource) async throws {
        let queue = WorkQueue(archive.missingRuns(ledger))
        try await withThrowingTaskGroup { group in
            for _ in 0..<streams {
                group.addTask {
                    let receiver = BlockReceiver(archive, ledger: ledger)
                    while let run = queue.next() {
                        try await fetch(run, whole: false, from: source, receiver)
                    }
                }
            }
            try await group.waitForAll()
        }
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
