// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooFiles

extension ModelStore {
    /// The folder of results that evaluations store: a folder for each stage, named by its key, and beside it
    /// `<key>.lock`, which runs that use it share.
    package var evaluation: String { "\(root)/evaluation" }

    /// The folder of evidence: a folder for each validated release, named by the digest of its manifest.
    package var evidence: String { "\(root)/evidence" }

    /// What collection removed from the store, or would remove.
    package struct Collected: Sendable, Equatable {
        /// The number of interrupted pulls, removals and imports.
        package var staging = 0
        /// The number of cached documents of registries.
        package var documents = 0
        /// The number of stages of evaluations whose stored results were removed.
        package var evaluations = 0
        /// The number of temporary files that interrupted programs left.
        package var temporaryFiles = 0
        /// The disk space of all of them in bytes.
        package var bytes = 0

        /// Creates a result.
        package init() {}
    }

    /// How long what nothing uses is kept: times in nanoseconds since 1970.
    package struct Cutoff: Sendable {
        /// Transfers, documents and temporary files that were written to after this time remain.
        package let transfers: Int
        /// Stored results that a run used after this time remain.
        package let evaluations: Int

        /// Creates times.
        package init(transfers: Int, evaluations: Int) {
            self.transfers = transfers
            self.evaluations = evaluations
        }
    }

    /// Removes interrupted transfers, cached documents, stored results of evaluations and temporary files; never an
    /// installed model, and never the evidence of a validation, which `publish` needs.
    ///
    /// Transfers and results that another process works with remain.
    ///
    /// - Parameters:
    ///   - cutoff: what is old.
    ///   - now: the current time, in nanoseconds since 1970. Files without a lock remain for a minute in any case,
    ///     because a running program may be about to rename them.
    ///   - dryRun: whether to remove nothing.
    ///   - cancellation: stops the work.
    /// - Returns: what was removed.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    package func collect(
        _ cutoff: Cutoff,
        now: Int,
        dryRun: Bool,
        _ cancellation: Cancellation
    ) throws -> Collected {
        var collection = StoreCollection(self, cutoff, now, dryRun, cancellation)
        try collection.collectStaging()
        try collection.collectImports()
        try collection.collectDocuments()
        try collection.collectEvaluations()
        try collection.collectEvidence()
        return collection.collected
    }
}

/// One collection while it runs.
private struct StoreCollection {
    private let store: ModelStore
    private let cutoff: ModelStore.Cutoff
    private let settled: Int
    private let dryRun: Bool
    private let cancellation: Cancellation
    private(set) var collected = ModelStore.Collected()

    init(
        _ store: ModelStore,
        _ cutoff: ModelStore.Cutoff,
        _ now: Int,
        _ dryRun: Bool,
        _ cancellation: Cancellation
    ) {
        self.store = store
        self.cutoff = cutoff
        settled = min(cutoff.transfers, now - 60_000_000_000)
        self.dryRun = dryRun
        self.cancellation = cancellation
    }

    private var root: String { store.root }

    private mutating func remove(
        _ path: String,
        _ bytes: Int,
        _ count: WritableKeyPath<ModelStore.Collected, Int>
    ) throws {
        if !dryRun { try FileSystem.remove(path) }
        collected[keyPath: count] += 1
        collected.bytes += bytes
    }

    /// Removes a folder, or what is left of it, with its lock file, unless it was used since `cutoff` or another
    /// process holds the lock.
    ///
    /// - Returns: whether it was, or would be, removed.
    @discardableResult
    private mutating func removeUnused(
        _ path: String,
        before cutoff: Int,
        _ count: WritableKeyPath<ModelStore.Collected, Int>
    ) throws -> Bool {
        let isLocked = try FileSystem.status("\(path).lock") != nil
        // Whoever uses the folder from now on waits for the lock.
        let lock = try OpenFile("\(path).lock", .write)
        guard lock.tryLock(), lock.isAtPath() else { return false }
        let size = try ModelStore.size(of: path)
        let lockTime = isLocked ? try lock.status().modified : 0
        guard max(size.modified, lockTime) < cutoff else {
            if !isLocked { try FileSystem.remove("\(path).lock") }
            return false
        }
        try remove(path, size.bytes, count)
        if !dryRun || !isLocked { try FileSystem.remove("\(path).lock") }
        return true
    }

    /// The names in a folder, each once whether there is only its lock file or what it locks too.
    private func lockable(in folder: String) throws(ZooError) -> [String] {
        let names = try FileSystem.names(in: folder)
        return Set(names.map { $0.hasSuffix(".lock") ? String($0.dropLast(5)) : $0 }).sorted()
    }

    mutating func collectStaging() throws {
        for name in try lockable(in: "\(root)/staging") {
            try cancellation.check()
            let path = "\(root)/staging/\(name)"
            if name.hasPrefix(ModelStore.removedPrefix) {
                try remove(path, try ModelStore.size(of: path).bytes, \.staging)
            } else {
                try removeUnused(path, before: cutoff.transfers, \.staging)
            }
        }
    }

    mutating func collectImports() throws {
        for namespace in try FileSystem.names(in: "\(root)/imports") {
            for name in try lockable(in: "\(root)/imports/\(namespace)") {
                try cancellation.check()
                // A conversion reads what was fetched, for as long as it takes.
                try removeUnused("\(root)/imports/\(namespace)/\(name)", before: settled, \.staging)
            }
        }
    }

    mutating func collectDocuments() throws {
        for folder in ["registries", "receipts"] {
            for file in try FileSystem.entries(below: "\(root)/\(folder)") {
                try cancellation.check()
                let path = "\(root)/\(folder)/\(file)"
                guard let status = try FileSystem.status(path), status.modified < cutoff.transfers
                else { continue }
                if Self.isTemporary(file) {
                    guard status.modified < settled else { continue }
                    try remove(path, status.allocated, \.temporaryFiles)
                } else if folder == "registries" {
                    try remove(path, status.allocated, \.documents)
                }
            }
        }
    }

    mutating func collectEvaluations() throws {
        for name in try lockable(in: store.evaluation) {
            try cancellation.check()
            let path = "\(store.evaluation)/\(name)"
            if try !removeUnused(path, before: cutoff.evaluations, \.evaluations) {
                try collectTemporaryFiles(below: path)
            }
        }
    }

    mutating func collectEvidence() throws {
        for name in try lockable(in: store.evidence) {
            try cancellation.check()
            let path = "\(store.evidence)/\(name)"
            // The statement is written last: without it the documents are those of an interrupted validation.
            if try FileSystem.status("\(path)/statement.json") == nil {
                try removeUnused(path, before: settled, \.temporaryFiles)
            } else {
                try collectTemporaryFiles(below: path)
            }
        }
    }

    private mutating func collectTemporaryFiles(below folder: String) throws {
        for file in try FileSystem.entries(below: folder) where Self.isTemporary(file) {
            try cancellation.check()
            let path = "\(folder)/\(file)"
            guard let status = try FileSystem.status(path), status.modified < settled else {
                continue
            }
            try remove(path, status.allocated, \.temporaryFiles)
        }
    }

    /// Whether an interrupted program left the file.
    private static func isTemporary(_ path: String) -> Bool {
        let name = FileSystem.name(of: path)
        return name.hasPrefix(".") && name.hasSuffix(".tmp")
    }
}
