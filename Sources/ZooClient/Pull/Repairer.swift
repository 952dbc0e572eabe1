// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooStore

/// The result of a repair.
package struct RepairReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// The model folder.
    package let path: String
    /// The files that were damaged or missing.
    package let repaired: [ReleasePath]
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
    ///   - streams: the number of concurrent requests.
    /// - Returns: the result of the repair.
    /// - Throws: ``ZooError`` or `CancellationError`; `store.staging-busy` while another process works
    ///   on the same folder.
    package func repair(_ target: RepairTarget, streams: Int = 4) async throws -> RepairReport {
        let resolved = try await registry.resolve(target.reference)
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
        let files = target.components.map { release.record.files(of: $0) } ?? release.record.files
        let wanted = Set(files.map(\.path))
        let damage = PathSet()
        let plans = try await BlockingWork.run { _ in
            damage.insert(try Self.clearTheWay(files, in: folder))
            return try ArchivePlan.plans(of: release, wanted, in: folder)
        }
        let ledger = BlockLedger(
            staging: staging,
            rows: 0,
            total: plans.reduce(0) { $0 + $1.neededBytes },
            report: report
        )
        try await BlockingWork.run { cancellation in
            // Find the intact blocks first; all other blocks are damaged.
            try ledger.recover(plans, from: LocalBlocks([]), checking: { _ in true }, cancellation)
            for plan in plans {
                for number in plan.needed where !ledger.isDone(plan.index(of: number)) {
                    damage.insert(plan.folder.paths(in: plan.table.blocks[number].rawRange))
                }
            }
            let elsewhere = LocalBlocks(of: release.record.name, in: store)
            try ledger.recover(plans, from: elsewhere, checking: { _ in false }, cancellation)
        }
        for plan in plans {
            try await ArchiveFetcher(
                archive: plan,
                registry: registry,
                ledger: ledger,
                streams: streams,
                report: report
            ).fetch()
        }
        _ = try ledger.complete(files)
        report(.finishing)
        let address = registry.source.address
        try await BlockingWork.run { _ in
            for plan in plans { try plan.folder.seal() }
            try release.installReceipt(target.components, from: address).write(to: folder)
            if store.owns(folder) {
                try store.remember(
                    StoreReceipt(
                        digest: release.digest,
                        components: target.components,
                        registry: address
                    ),
                    of: folder
                )
            }
            try staging.discard()
        }
        let totals = ledger.totals
        return RepairReport(
            reference: release.reference,
            digest: release.digest,
            path: folder,
            repaired: damage.sorted,
            bytesDownloaded: totals.downloaded,
            bytesReused: totals.reused
        )
    }

    /// Removes links and special files at the paths of the release's files and their parent folders.
    ///
    /// - Returns: the files that are missing or have the wrong size.
    /// - Throws: ``ZooError`` with code `io.exists` when a folder is at the path of a file, or a file at
    ///   the path of a folder.
    private static func clearTheWay(
        _ files: [ReleaseRecord.File],
        in folder: String
    ) throws(ZooError) -> [ReleasePath] {
        var damaged: [ReleasePath] = []
        let receipts = "\(folder)/\(InstalledRelease.receiptFolder)"
        for path in [receipts, "\(receipts)/blocks"] {
            guard let kind = try FileSystem.status(path)?.kind, kind != .folder else { continue }
            try FileSystem.remove(path)
        }
        for file in files {
            var path = folder
            let components = file.path.text.utf8.split(separator: UInt8(ascii: "/"))
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
            let status = try FileSystem.status("\(folder)/\(file.path)")
            if status?.size != file.size { damaged.append(file.path) }
        }
        return damaged
    }
}

/// The folder to repair and the release to restore.
package struct RepairTarget: Sendable {
    /// The model folder.
    package let folder: String
    /// The installed release, with its digest if known.
    package let reference: ModelReference
    /// The fetched components; nil for the whole release.
    package let components: Set<String>?

    /// Reads the release to restore from the store's receipt, or else from the folder's documents.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - reference: the reference that the user passed; nil for a folder.
    ///   - store: the local store.
    /// - Throws: ``ZooError`` with code `store.not-a-release` or `store.receipt-mismatch` when neither
    ///   identifies a release.
    package init(
        folder: String,
        reference: ModelReference?,
        in store: ModelStore
    ) throws(ZooError) {
        self.folder = folder
        // Ignore an unreadable receipt; the documents of the folder may be intact.
        if let receipt = (try? store.receipt(of: folder)).flatMap(\.self),
            let name = reference?.name
                ?? store.relative(FileSystem.parent(of: folder))
                .flatMap({ try? ModelName(parsing: $0) })
        {
            // A receipt that was changed must not lead to another release.
            let digest = reference?.digest ?? receipt.digest
            guard FileSystem.name(of: folder).contains("-\(digest.short)") else {
                throw ZooError(
                    .receiptMismatch,
                    "the folder '\(folder)' is not one of the release \(digest)",
                    remedy: "remove the folder and pull the release again"
                )
            }
            self.reference = ModelReference(
                name: name,
                selector: reference?.selector ?? .channel(.stable),
                digest: digest
            )
            components = receipt.components
            return
        }
        let release = try InstalledRelease(folder: folder)
        self.reference = ModelReference(
            name: release.record.name,
            selector: .version(release.record.version),
            digest: reference?.digest ?? release.digest
        )
        components = release.components
    }
}

/// A thread-safe set of paths.
private final class PathSet: Sendable {
    private let paths = Mutex<Set<ReleasePath>>([])

    func insert(_ paths: [ReleasePath]) { self.paths.withLock { $0.formUnion(paths) } }

    var sorted: [ReleasePath] { paths.withLock { $0.sorted() } }
}
