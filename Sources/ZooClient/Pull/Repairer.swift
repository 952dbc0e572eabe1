// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
internal import ZooFiles
internal import ZooStore

/// The result of a repair.
package struct RepairReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The kind of the release.
    package let kind: ArtifactKind
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The model folder.
    package let path: String
    /// The paths of the files and documents in the folder that were damaged or missing, and the path of
    /// the store's receipt if that was.
    package let repaired: [String]
    /// The bytes fetched from the registry, excluding documents.
    package let bytesDownloaded: Int
    /// The bytes that were intact or were copied from other installed releases.
    package let bytesReused: Int
}

/// Restores the files of an installed release and fetches only the damaged blocks.
///
/// Blocks are written in place, so an interrupted repair never increases the damage and the next
/// repair resumes. Files that are not part of the release are not touched.
package struct Repairer: ReleaseTask {
    /// The registry, the store and the receiver of progress events.
    package let tools: ReleaseTools

    /// See ``ReleaseTask/init(registry:store:report:)``.
    package init(tools: ReleaseTools) { self.tools = tools }

    /// Repairs the release in a folder.
    ///
    /// - Parameters:
    ///   - target: the folder and the release to restore.
    ///   - streams: the number of concurrent requests; nil for one that adapts to the line.
    /// - Returns: the result of the repair.
    /// - Throws: ``ZooError`` or `CancellationError`; `store.staging-busy` while another process works
    ///   on the same folder.
    package func repair(_ target: RepairTarget, streams: Int? = nil) async throws -> RepairReport {
        let resolved = try await registry.resolve(target)
        let release = try await registry.withTables(resolved)
        let (store, folder) = (store, target.folder)
        let staging = try await BlockingWork.run { _ in
            try store.staging(for: release.digest, destination: folder)
        }
        guard let staging else {
            throw ZooError(
                .stagingBusy,
                "another process is pulling or repairing '\(folder)'",
                remedy: "wait until it has finished, then run the command again"
            )
        }
        let components = try await BlockingWork.run { _ in try target.components(of: release.record)
        }
        let files = components.map { release.record.files(of: $0) } ?? release.record.files
        let wanted = Set(files.map(\.path))
        let address = registry.source.address
        let attachments = try await attachments(of: release)
        let damage = PathSet()
        let (plans, rewritten) = try await BlockingWork.run { _ in
            try Self.clearReceipts(in: folder)
            let present = KeptAttachments(in: folder, of: release.digest, repair: "")
            let documents = release.installReceipt(
                components,
                from: address,
                keeping: attachments.merged(with: present.attachments)
            )
            let names = documents.withoutAttachments.documentNames
            damage.insert(try Self.clearTheWay(files, names, in: folder))
            // At once: without documents, an interrupted repair would not know the release again.
            var rewritten = try documents.write(to: folder)
            rewritten += try staging.replaceAttachments(in: folder, with: documents)
            rewritten += try documents.writeSignature(to: folder)
            return (try ArchivePlan.plans(of: release, wanted, in: folder), rewritten)
        }
        let ledger = BlockLedger(
            staging: staging,
            rows: 0,
            total: plans.reduce(0) { $0 + $1.neededBytes },
            report: report
        )
        try await BlockingWork.run { cancellation in
            // Find the intact blocks first; all other blocks are damaged.
            try ledger.recover(plans, from: .none, checking: { _ in true }, cancellation)
            var suspects: Set<ReleasePath> = []
            for plan in plans {
                for number in plan.needed where !ledger.isDone(plan.index(of: number)) {
                    suspects.formUnion(plan.folder.paths(in: plan.table.blocks[number].rawRange))
                }
            }
            // An intact file can share a block with a damaged one.
            for file in files where suspects.contains(file.path) {
                do {
                    _ = try VerifiedFile(file, in: folder, cancellation)
                } catch is ZooError {
                    damage.insert([file.path])
                }
            }
            let elsewhere = LocalBlocks(in: store)
            try ledger.recover(plans, from: elsewhere, checking: { _ in false }, cancellation)
        }
        let sources = SourcePool(registry)
        for plan in plans {
            try await ArchiveFetcher(
                archive: plan,
                sources: sources,
                ledger: ledger,
                streams: streams,
                mirroredSize: PullRequest.defaultMirroredSize,
                report: report
            ).fetch()
        }
        _ = try ledger.complete(files)
        report(.finishing)
        let receipt = try await BlockingWork.run { _ in
            for plan in plans { try plan.folder.seal() }
            var rewritten: [String] = []
            if let path = store.receiptPath(of: folder) {
                let receipt = StoreReceipt(
                    digest: release.digest,
                    components: components,
                    registry: address
                )
                if (try? store.receipt(of: folder)) != receipt {
                    try store.remember(receipt, of: folder)
                    rewritten.append(path)
                }
            }
            try staging.discard()
            return rewritten
        }
        let totals = ledger.totals
        return RepairReport(
            reference: release.reference,
            kind: release.record.kind,
            digest: release.digest,
            path: folder,
            repaired: damage.sorted.map(\.text) + rewritten.sorted() + receipt,
            bytesDownloaded: totals.downloaded,
            bytesReused: totals.reused
        )
    }

    /// Removes what is in the way of the folders for documents.
    private static func clearReceipts(in folder: String) throws(ZooError) {
        let receipts = "\(folder)/\(InstalledRelease.receiptFolder)"
        // Nothing but a folder belongs there; whatever else there is, is not the user's.
        for path in [receipts, "\(receipts)/blocks"] {
            guard let kind = try FileSystem.status(path)?.kind, kind != .folder else { continue }
            try FileSystem.remove(path)
        }
    }

    /// Removes links and special files at the paths of the release's files and documents, and of their
    /// parent folders.
    ///
    /// - Returns: the files that are missing or have the wrong size.
    /// - Throws: ``ZooError`` with code `io.exists` when a folder is at the path of a file, or a file at
    ///   the path of a folder.
    private static func clearTheWay(
        _ files: [ReleaseRecord.File],
        _ documents: [String],
        in folder: String
    ) throws(ZooError) -> [ReleasePath] {
        var damaged: [ReleasePath] = []
        for name in documents + files.map(\.path.text) {
            var path = folder
            let components = name.utf8.split(separator: UInt8(ascii: "/"))
            for (index, component) in components.enumerated() {
                path += "/\(String(decoding: component, as: UTF8.self))"
                let isLast = index == components.count - 1
                switch try FileSystem.status(path)?.kind {
                case .folder where isLast:
                    throw ZooError(
                        .fileExists,
                        "'\(path)' is a folder, but the release has a file with this path",
                        remedy: "move the folder, then repair again"
                    )
                case .folder, nil: continue
                case .file where isLast: continue
                case .file:
                    throw ZooError(
                        .fileExists,
                        "'\(path)' is a file, but the release has a folder with this path",
                        remedy: "move the file, then repair again"
                    )
                case .link, .other: try FileSystem.remove(path)
                }
            }
        }
        for file in files {
            let status = try FileSystem.status("\(folder)/\(file.path)")
            if status?.size != file.size { damaged.append(file.path) }
        }
        return damaged
    }
}

/// A thread-safe set of paths.
private final class PathSet: Sendable {
    private let paths = Mutex<Set<ReleasePath>>([])

    func insert(_ paths: [ReleasePath]) { self.paths.withLock { $0.formUnion(paths) } }

    var sorted: [ReleasePath] { paths.withLock { $0.sorted() } }
}
