// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
package import ZooStore

/// Fetches, verifies and installs releases.
///
/// Every block is verified and then written once, at its final offset in a staging folder that
/// becomes visible with one rename. After an interruption, the next pull verifies the blocks in place
/// and resumes.
package struct Puller: ReleaseTask {
    /// The registry, the store and the receiver of progress events.
    package let tools: ReleaseTools

    /// See ``ReleaseTask/init(registry:store:report:)``.
    package init(tools: ReleaseTools) { self.tools = tools }

    /// Pulls a release.
    ///
    /// - Throws: ``ZooError``, or `CancellationError`. After an error no new folder is visible, and
    ///   the verified blocks are kept for the next pull.
    package func pull(_ request: PullRequest) async throws -> PullReport {
        let store = store
        guard !request.offline else {
            return try await BlockingWork.run { _ in try Self.installed(request, in: store) }
        }
        if let pinned = try await BlockingWork.run({ _ in pinnedAndInstalled(request) }) {
            return await withoutStaging(pinned)
        }
        let resolved = try await registry.resolve(request.reference)
        report(
            .resolved(
                name: resolved.record.name,
                version: resolved.record.version,
                digest: resolved.digest
            )
        )
        try resolved.record.requireComponents(request.components)
        let destination =
            request.destination.map(FileSystem.absolute)
            ?? store.folder(
                name: resolved.record.name,
                version: resolved.record.version,
                digest: resolved.digest,
                components: request.components
            )
        let trust = try await registry.trustReceipt(of: resolved.record.name)
        if let done = try await installed(resolved, at: destination, request) {
            try await keep(trust, at: destination, replacing: false)
            return await withoutStaging(done)
        }
        try resolved.record.requireConsent(request.acceptedLicences)
        let release = try await registry.withTables(resolved)
        let staging = try await claim(release, destination, request)
        do {
            // Another process may have installed the release before this one got the lock.
            if let done = try await installed(release, at: destination, request) {
                try await BlockingWork.run { _ in try staging.discard() }
                return done
            }
        } catch let error as ZooError where error.code == .destinationTaken {
            try await BlockingWork.run { _ in try staging.discard() }
            throw error
        }
        try await keep(trust, at: destination, replacing: true)
        return try await install(release, staging, request)
    }

    /// Keeps what proves that a release in the store is current, before the release is visible.
    private func keep(
        _ receipt: TrustReceipt?,
        at destination: String,
        replacing: Bool
    ) async throws {
        try await BlockingWork.run { [store] _ in
            guard let folder = store.trustPath(of: destination) else { return }
            if let receipt {
                guard try replacing || FileSystem.status("\(folder)/pull.json") == nil else {
                    return
                }
                try receipt.write(to: folder)
            } else if replacing {
                // That of a release which was here before, from another registry.
                try FileSystem.remove(folder)
            }
        }
    }

    // MARK: Installed releases

    /// Finds an installed release in the store or at the destination without using a registry.
    ///
    /// - Throws: ``ZooError`` with code `registry.offline` when no installed release matches.
    package static func installed(
        _ request: PullRequest,
        in store: ModelStore
    ) throws -> PullReport {
        let release: InstalledRelease
        do {
            release = try installedLocally(request, in: store)
        } catch let error as ZooError where error.code == .channelNotRecorded {
            throw error
        } catch {
            throw ZooError(
                .offline,
                "'\(request.reference)' is not installed as requested, and --offline is set",
                remedy: "pull it once without --offline",
                cause: error
            )
        }
        return nothingToDo(release, yank: nil)
    }

    /// Opens the release at the destination or in the store.
    private static func installedLocally(
        _ request: PullRequest,
        in store: ModelStore
    ) throws -> InstalledRelease {
        guard let destination = request.destination.map(FileSystem.absolute) else {
            return try store.installed(
                request.reference,
                holding: request.components.map(ModelStore.Portion.components) ?? .whole
            )
        }
        let release = try InstalledRelease(folder: destination)
        var isWanted =
            release.record.name == request.reference.name
            && release.components == request.components
        if let digest = request.reference.digest { isWanted = isWanted && digest == release.digest }
        if case .version(let version) = request.reference.selector {
            isWanted = isWanted && version == release.record.version
        }
        guard isWanted else { throw taken(destination) }
        return release
    }

    /// Finds the installed release of a reference with a digest, which needs no registry.
    private func pinnedAndInstalled(_ request: PullRequest) -> PullReport? {
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
    ) async throws -> PullReport? {
        try await BlockingWork.run { _ in
            guard let status = try FileSystem.status(destination) else { return nil }
            if let existing = try? InstalledRelease(folder: destination),
                existing.digest == release.digest, existing.components == request.components
            {
                return Self.nothingToDo(existing, yank: release.yank)
            }
            // An empty folder at the destination is allowed.
            if status.kind == .folder, try FileSystem.names(in: destination).isEmpty { return nil }
            guard store.owns(destination) else { throw Self.taken(destination) }
            throw ZooError(
                .destinationTaken,
                "'\(destination)' was modified and is no longer '\(release.record.name):"
                    + "\(release.record.version)'",
                remedy: "run '\(RepairAdvice(destination))'"
            )
        }
    }

    private static func taken(_ destination: String) -> ZooError {
        ZooError(
            .destinationTaken,
            "'\(destination)' already exists and is not this release",
            remedy: "choose another folder, or move the existing one"
        )
    }

    private static func nothingToDo(
        _ release: InstalledRelease,
        yank: IndexDocument.Yank?
    ) -> PullReport {
        let bytes = release.files.reduce(0) { $0 + $1.size }
        return PullReport(
            reference: release.reference,
            kind: release.record.kind,
            digest: release.digest,
            path: release.folder,
            bytesTotal: bytes,
            bytesDownloaded: 0,
            bytesReused: bytes,
            alreadyInstalled: true,
            yank: yank
        )
    }

    /// Removes the staging area of an installed release, which a stopped pull may have left.
    private func withoutStaging(_ report: PullReport) async -> PullReport {
        // The release is installed and usable, also where nothing can be removed.
        try? await BlockingWork.run { [store] _ in
            try store.removeStaging(for: report.digest, destination: report.path)
        }
        return report
    }

    // MARK: Fetching

    /// Opens the staging area and waits until no other process uses it.
    private func claim(
        _ release: RemoteRelease,
        _ destination: String,
        _ request: PullRequest
    ) async throws -> StagingArea {
        var announced = false
        while true {
            let staging = try await BlockingWork.run { _ in
                if request.destination == nil { try store.prepare() }
                return try store.staging(for: release.digest, destination: destination)
            }
            if let staging { return staging }
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
        let wanted = Set(files.map(\.path))
        let (plans, journal) = try await BlockingWork.run { _ in
            try staging.keepOnly(wanted)
            try requireSpace(total, in: staging)
            return (
                try ArchivePlan.plans(of: release, wanted, in: staging.files),
                try staging.journalled()
            )
        }
        let ledger = BlockLedger(
            staging: staging,
            rows: journal.rows,
            total: plans.reduce(0) { $0 + $1.neededBytes },
            report: report
        )
        try await BlockingWork.run { [store] cancellation in
            try ledger.recover(
                plans,
                from: LocalBlocks(in: store),
                checking: { journal.blocks.contains($0) },
                cancellation
            )
        }
        let sources = SourcePool(registry)
        for plan in plans {
            try await ArchiveFetcher(
                archive: plan,
                sources: sources,
                ledger: ledger,
                streams: request.streams,
                mirroredSize: request.mirroredSize,
                report: report
            ).fetch()
        }
        let attachments = try await attachments(of: release).kept
        report(.finishing)
        let verified = try ledger.complete(files)
        try await BlockingWork.run { _ in
            for plan in plans { try plan.folder.seal() }
            try commit(verified, of: release, attachments, staging, request)
        }
        let totals = ledger.totals
        return PullReport(
            reference: release.reference,
            kind: release.record.kind,
            digest: release.digest,
            path: staging.destination,
            bytesTotal: total,
            bytesDownloaded: totals.downloaded,
            bytesReused: totals.reused,
            alreadyInstalled: false,
            yank: release.yank
        )
    }

    private func commit(
        _ verified: VerifiedFiles,
        of release: RemoteRelease,
        _ attachments: [ReleaseAttachment],
        _ staging: StagingArea,
        _ request: PullRequest
    ) throws {
        if store.owns(staging.destination) {
            try store.remember(
                StoreReceipt(
                    digest: release.digest,
                    components: request.components,
                    registry: registry.source.address
                ),
                of: staging.destination
            )
        }
        let leftOut = try staging.commit(
            release.installReceipt(
                request.components,
                from: registry.source.address,
                keeping: attachments
            ),
            files: verified.files
        )
        if let leftOut {
            report(
                .note(
                    "the attachments of \(release.reference) are left out: \(leftOut.message); "
                        + "'ami-zoo repair' fetches them later"
                )
            )
        }
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
}
