// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooStore

/// What a repair did.
package struct RepairReport: Sendable, Equatable {
    /// The release.
    package let reference: ModelReference
    /// The digest of its manifest.
    package let digest: ContentDigest
    /// The model folder.
    package let path: String
    /// The files that were damaged, or missing.
    package let repaired: [ReleasePath]
    /// Bytes that came from the registry, documents not counted.
    package let bytesDownloaded: Int
    /// Bytes that were right already, or came from other releases on this machine.
    package let bytesReused: Int
}

/// Makes the files of an installed release what they were, and fetches only the blocks that are not.
///
/// Blocks are written in place: an interrupted repair leaves a folder that is damaged as before, or less,
/// and the next one goes on. Files that are not part of the release are left alone.
package struct Repairer: Sendable {
    private let registry: Registry
    private let store: ModelStore
    private let report: @Sendable (PullEvent) -> Void

    /// A repairer that fetches from a registry.
    ///
    /// - Parameters:
    ///   - registry: where the release comes from.
    ///   - store: the local store.
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

    /// Repairs the release in a folder.
    ///
    /// - Parameters:
    ///   - target: the folder and what was installed there.
    ///   - streams: requests at once.
    /// - Returns: what was done.
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
                remedy: "wait until it has finished"
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
            // What is right in place, before anything else: the rest is the damage.
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

    /// Removes links and special files that stand where a file of the release belongs, or a folder
    /// above it.
    ///
    /// - Returns: the files that are missing or have the wrong length.
    /// - Throws: ``ZooError`` with code `io.exists` when a folder stands where a file belongs.
    private static func clearTheWay(
        _ files: [ReleaseRecord.File],
        in folder: String
    ) throws(ZooError) -> [ReleasePath] {
        var damaged: [ReleasePath] = []
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
                        "'\(path)' is a folder, and a file of the release belongs there",
                        remedy: "move the folder away, then repair again"
                    )
                case .folder, nil: continue
                case .file where isLast: continue
                case .file:
                    throw ZooError(
                        .fileExists,
                        "'\(path)' is a file, and a folder of the release belongs there",
                        remedy: "move the file away, then repair again"
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

/// What is to be repaired.
package struct RepairTarget: Sendable {
    /// The model folder.
    package let folder: String
    /// The release that was installed there, with its digest where that is known.
    package let reference: ModelReference
    /// The components that were fetched; nil when all were.
    package let components: Set<String>?

    /// Finds out what was installed in a folder: from the receipt of the store, or else from the documents
    /// in the folder.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - reference: what the user called it, when that was a reference.
    ///   - store: the local store.
    /// - Throws: ``ZooError`` with code `store.not-a-release` or `store.receipt-mismatch` when neither
    ///   says what belongs there. Blocking.
    package init(
        folder: String,
        reference: ModelReference?,
        in store: ModelStore
    ) throws(ZooError) {
        self.folder = folder
        // A receipt that cannot be read is no receipt; the folder's documents may still be right.
        if let receipt = (try? store.receipt(of: folder)).flatMap(\.self),
            let name = reference?.name
                ?? (try? ModelName(parsing: store.relative(FileSystem.parent(of: folder))))
        {
            self.reference = ModelReference(
                name: name,
                selector: .channel(.stable),
                digest: receipt.digest
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

/// Paths that several steps collect.
private final class PathSet: Sendable {
    private let paths = Mutex<Set<ReleasePath>>([])

    func insert(_ paths: [ReleasePath]) { self.paths.withLock { $0.formUnion(paths) } }

    var sorted: [ReleasePath] { paths.withLock { $0.sorted() } }
}
