// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooConvert
internal import ZooCore
internal import ZooEval
internal import ZooFiles
internal import ZooStore
internal import ZooValidate

/// The probe of `evaluate --probe`: an installed one, a folder, or a file as a lab published it.
struct ProbeArgument: Sendable {
    private let text: String
    private let catalogue: Catalogue

    /// Names a probe.
    ///
    /// - Parameters:
    ///   - text: the argument.
    ///   - catalogue: the folder of the catalogue; nil for the one that ships with the program.
    /// - Throws: ``ZooError`` when there is no catalogue.
    init(_ text: String, catalogue: String?) throws(ZooError) {
        self.text = text
        if let catalogue {
            self.catalogue = Catalogue(folder: catalogue)
        } else {
            self.catalogue = try Surroundings().catalogue()
        }
    }

    /// Loads the probe, and runs `work` with it.
    ///
    /// - Parameters:
    ///   - store: the local store.
    ///   - note: receives what the user should know about the probe.
    ///   - work: what reads it; checked afterwards is that the probe is still the same.
    /// - Returns: what `work` returns.
    /// - Throws: ``ZooError`` as ``ModelLocation``, ``PublishedProbe`` and ``EvaluatedProbe``; what `work` throws.
    func with<Result: Sendable>(
        in store: ModelStore,
        note: @Sendable (String) -> Void,
        _ work: (EvaluatedProbe) async throws -> Result
    ) async throws -> Result {
        if try FileSystem.status(text) != nil, !FileSystem.isFolder(text) {
            return try await withFile(note: note, work)
        }
        let location = try ModelLocation(text, in: store)
        let release = try location.release.map(ValidationSubject.init)
        try await release?.requireIntact(store)
        return try await Self.with(location.folder, work)
    }

    private func withFile<Result: Sendable>(
        note: @Sendable (String) -> Void,
        _ work: (EvaluatedProbe) async throws -> Result
    ) async throws -> Result {
        let spool = Surroundings().spool
        let published = try await BlockingWork.run(whenCancelled: .abandoned) { [catalogue, text] in
            let place = try CheckpointInput(text, spool: spool, $0).place
            let entries = try catalogue.names().map { name throws(ZooError) in
                try catalogue.entry(name)
            }
            return try PublishedProbe(place, among: entries)
        }
        let entry = published.entry
        note(
            "'\(text)': \(entry.name)"
                + (entry.backbone.map { ", which was trained on \($0)" } ?? "")
                + "; licence \(entry.licence ?? "unknown")"
        )
        let folder = "\(spool)/.\(FileSystem.uniqueName()).tmp"
        // Nobody can be told; the folder of temporary files is removed as a whole.
        defer { try? FileSystem.remove(folder) }
        try await published.write(to: folder)
        return try await Self.with(folder, work)
    }

    private static func with<Result: Sendable>(
        _ folder: String,
        _ work: (EvaluatedProbe) async throws -> Result
    ) async throws -> Result {
        let probe = try await BlockingWork.run(whenCancelled: .abandoned) {
            try EvaluatedProbe(folder: folder, $0)
        }
        let result = try await work(probe)
        try await BlockingWork.run { try probe.requireUnchanged($0) }
        return result
    }
}
