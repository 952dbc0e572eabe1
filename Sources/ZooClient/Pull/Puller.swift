// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
package import ZooStore

/// Fetches, verifies and installs releases.
///
/// Every block is verified before it is written, and written once, to its final place in a folder
/// that becomes visible in one rename. Interrupted at any instant, the next pull checks what is
/// there and goes on.
package struct Puller: Sendable {
    private let registry: Registry
    private let store: ModelStore
    private let report: @Sendable (PullEvent) -> Void

    /// A puller from a registry into a store.
    ///
    /// - Parameters:
    ///   - registry: where releases come from.
    ///   - store: where they go.
    ///   - report: is told what happens, from any thread.
    package init(
        registry: Registry,
        store: ModelStore,
        report: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) {
        self.registry = registry
        self.store = store
        self.report = report
    }

    /// Pulls a release.
    ///
    /// - Throws: ``ZooError``, or `CancellationError`; then nothing is visible that was not before,
    ///   and what was verified is kept for the next pull.
    package func pull(_ request: PullRequest) async throws -> PullReport {
        guard !request.offline else { return try Self.installed(request, in: store) }
        if let pinned = try pinnedAndInstalled(request) { return pinned }
        var release = try await registry.resolve(request.reference)
        report(
            .resolved(
                name: release.record.name,
                version: release.record.version,
                digest: release.digest
            )
        )
        try requireComponents(request.components, of: release.record)
        let destination =
            request.destination.map(FileSystem.absolute)
            ?? store.folder(
                name: release.record.name,
                version: release.record.version,
                digest: release.digest,
                components: request.components
            )
        if let done = try installed(release, at: destination, request) { return done }
        release = try await registry.withTables(release)
        if request.destination == nil { try store.prepare() }
        guard let staging = try await claim(release, destination) else {
            guard let done = try installed(release, at: destination, request) else {
                return try await pull(request)
            }
            return done
        }
        return try await install(release, staging, request)
    }

    // MARK: Nothing to fetch

    /// Finds a release in the store without asking a registry.
    ///
    /// - Throws: ``ZooError`` with code `registry.offline` when it is not installed.
    package static func installed(
        _ request: PullRequest,
        in store: ModelStore
    ) throws -> PullReport {
        do {
            return nothingToDo(try store.installed(request.reference), yank: nil)
        } catch {
            throw ZooError(
                .offline,
                "'\(request.reference)' is not on this machine, and --offline was given",
                remedy: "pull it once with a network",
                cause: error
            )
        }
    }

    /// A reference with a digest can only mean one release; if it is here, no registry is asked.
    private func pinnedAndInstalled(_ request: PullRequest) throws -> PullReport? {
        guard request.reference.digest != nil, request.destination == nil,
            let release = try? store.installed(request.reference),
            release.components == request.components
        else { return nil }
        return Self.nothingToDo(release, yank: nil)
    }

    private func installed(
        _ release: RemoteRelease,
        at destination: String,
        _ request: PullRequest
    ) throws -> PullReport? {
        guard let status = try FileSystem.status(destination) else { return nil }
        if let existing = try? InstalledRelease(folder: destination),
            existing.digest == release.digest, existing.components == request.components
        {
            return Self.nothingToDo(existing, yank: release.yank)
        }
        // An empty folder that somebody made for us is fine.
        if status.kind == .folder, try FileSystem.names(in: destination).isEmpty { return nil }
        throw ZooError(
            .destinationTaken,
            "'\(destination)' is there already and is not this release",
            remedy: "choose another folder, or move that one away"
        )
    }

    private static func nothingToDo(
        _ release: InstalledRelease,
        yank: IndexDocument.Yank?
    ) -> PullReport {
        let bytes = release.files.reduce(0) { $0 + $1.size }
        return PullReport(
            reference: release.reference,
            digest: release.digest,
            path: release.folder,
            bytesTotal: bytes,
            bytesDownloaded: 0,
            bytesReused: bytes,
            alreadyInstalled: true,
            yank: yank
        )
    }

    private func requireComponents(_ names: Set<String>?, of record: ReleaseRecord) throws {
        let known = record.components.map(\.name)
        guard let unknown = names?.subtracting(known).min() else { return }
        throw ZooError(
            .componentUnknown,
            "'\(record.name):\(record.version)' has no component '\(unknown)'",
            remedy: "it has \(known.joined(separator: ", "))"
        )
    }

    // MARK: Fetching

    /// The staging area, or nil when another process finished the release while we waited for it.
    private func claim(
        _ release: RemoteRelease,
        _ destination: String
    ) async throws -> StagingArea? {
        var announced = false
        while true {
            let store = store
            if let staging = try await BlockingWork.run({ _ in
                try store.staging(for: release.digest, destination: destination)
            }) {
                let appeared = try FileSystem.status(destination)
                if announced, appeared != nil {
                    try staging.discard()
                    return nil
                }
                return staging
            }
            if !announced { report(.waiting) }
            announced = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func install(
        _ release: RemoteRelease,
        _ staging: StagingArea,
        _ request: PullRequest
    ) async throws -> PullReport {
        let files = request.components.map { release.record.files(of: $0) } ?? release.record.files
        let total = files.reduce(0) { $0 + $1.size }
        try requireSpace(total, in: staging)
        let wanted = Set(files.map(\.path))
        let plans = try await BlockingWork.run { _ in try Self.plans(release, wanted, staging) }
        let needed = plans.flatMap { plan in
            plan.needed.map { plan.table.blocks[$0].rawRange.count }
        }
        let journal = try staging.journalled()
        let ledger = BlockLedger(
            staging: staging,
            rows: journal.rows,
            total: needed.reduce(0, +),
            report: report
        )
        try await recover(plans, of: release.record.name, journal.blocks, ledger)
        for plan in plans {
            try await ArchiveFetcher(
                archive: plan,
                registry: registry,
                ledger: ledger,
                streams: request.streams,
                report: report
            ).fetch()
        }
        report(.finishing)
        let receipt = InstallReceipt(
            manifest: release.manifestBytes,
            record: release.record.canonicalBytes,
            blockTables: Dictionary(
                uniqueKeysWithValues: release.archives.map { ($0.entry.name, $0.tableBytes) }
            ),
            components: request.components,
            registry: registry.source.address
        )
        try await BlockingWork.run { _ in
            for plan in plans { try plan.folder.seal() }
            try staging.commit(receipt)
        }
        let totals = ledger.totals
        return PullReport(
            reference: ModelReference(
                name: release.record.name,
                selector: .version(release.record.version)
            ),
            digest: release.digest,
            path: staging.destination,
            bytesTotal: total,
            bytesDownloaded: totals.downloaded,
            bytesReused: totals.reused,
            alreadyInstalled: false,
            yank: release.yank
        )
    }

    private func requireSpace(_ bytes: Int, in staging: StagingArea) throws {
        let present = try FileSystem.files(below: staging.files).reduce(0) { sum, name in
            try sum + (FileSystem.status("\(staging.files)/\(name)")?.allocated ?? 0)
        }
        guard let free = FileSystem.freeSpace(at: staging.files), free < bytes - present else {
            return
        }
        throw ZooError(
            .diskFull,
            "the release needs \(ByteCount(bytes - present)) more, and '\(staging.files)' has "
                + "\(ByteCount(free)) left",
            remedy: "free some space, or set AMI_ZOO_HOME to a folder on a larger disk"
        )
    }

    private static func plans(
        _ release: RemoteRelease,
        _ wanted: Set<ReleasePath>,
        _ staging: StagingArea
    ) throws -> [ArchivePlan] {
        try release.archives.enumerated().map { position, archive in
            let folder = try ArchiveFolder(
                release.record.layout(of: archive.entry.name),
                in: staging.files,
                .write,
                including: { wanted.contains($0) }
            )
            let blocks = archive.table.blocks
            let needed = blocks.indices.filter { folder.needs(blocks[$0].rawRange) }
            return ArchivePlan(
                position: position,
                name: archive.entry.name,
                digest: archive.entry.archive.digest,
                table: archive.table,
                folder: folder,
                needed: Set(needed)
            )
        }
    }

    /// Finds what is on this machine already: blocks of an interrupted pull, checked again, and
    /// blocks of other versions of the model.
    private func recover(
        _ plans: [ArchivePlan],
        of name: ModelName,
        _ journalled: Set<StagingArea.BlockIndex>,
        _ ledger: BlockLedger
    ) async throws {
        let store = store
        try await BlockingWork.run { cancellation in
            let elsewhere = LocalBlocks((try? store.releases(of: name)) ?? [])
            let raw = BlockBuffer()
            for plan in plans {
                for number in plan.needed.sorted() {
                    try cancellation.check()
                    let index = plan.index(of: number)
                    let block = plan.table.blocks[number]
                    if journalled.contains(index),
                        (try? plan.folder.read(block.rawRange, into: raw)) != nil,
                        (try? BlockDecoder.verify(raw, of: block)) != nil
                    {
                        try ledger.complete(index, bytes: block.rawRange.count, .resumed)
                    } else if elsewhere.read(block, into: raw) {
                        try plan.folder.write(raw, at: block.rawRange.lowerBound)
                        try ledger.complete(index, bytes: block.rawRange.count, .copied)
                    }
                }
            }
        }
    }
}
