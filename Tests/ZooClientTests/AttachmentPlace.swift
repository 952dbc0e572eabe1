// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// A registry with a release, to which tests attach things, and a store.
struct AttachmentPlace {
    let folder: TemporaryFolder
    let registry: TinyRegistry
    let evidence: SampleEvidence
    let store: ModelStore
    let notes = PullNotes()

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        registry = try TinyRegistry(in: folder)
        evidence = try SampleEvidence(of: try registry.publish("1.0.0"), in: registry)
        store = ModelStore(root: folder.path(of: "store"))
    }

    func client(_ location: RegistryLocation? = nil) -> Registry {
        Registry(
            location ?? .folder(registry.root),
            transport: location == nil ? .unused : .impatient,
            cache: nil
        )
    }

    func pull(_ location: RegistryLocation? = nil, to name: String? = nil) async throws
        -> String
    {
        var request = try PullRequest.of("ami/tiny:1.0.0")
        request.destination = name.map { folder.path(of: $0) }
        return try await Puller(
            registry: client(location),
            store: store,
            report: { [notes] in notes.take($0) }
        )
        .pull(request).path
    }

    func repair(_ path: String) async throws -> RepairReport {
        try await Repairer(
            registry: client(),
            store: store,
            report: { [notes] in notes.take($0) }
        )
        .repair(RepairTarget(folder: path, reference: nil, in: store))
    }

    func verify(_ path: String) async throws -> Verification {
        try await VerificationSubject(path, in: store)
            .verify(AnchorSearch(store: store), deep: false)
    }

    func kept(_ path: String) -> KeptAttachments {
        KeptAttachments(in: path, of: evidence.digest, repair: "repair")
    }
}

/// The notes of a pull.
final class PullNotes: Sendable {
    private let texts = Mutex<[String]>([])

    var taken: [String] { texts.withLock { $0 } }

    func take(_ event: PullEvent) {
        if case .note(let text) = event { texts.withLock { $0.append(text) } }
    }
}

extension AttachmentPlace {
    /// What evidence says, in a word.
    static func state(_ evidence: AttachedEvidence?) -> String {
        switch evidence?.decision {
        case .validated: "validated"
        case .failed: "failed"
        case .unvalidated(let waiver): "unvalidated: \(waiver.reason)"
        case .invalid(let error): error.code.rawValue
        case .absent: "none"
        case nil: "nil"
        }
    }

    /// The files of a folder of attachments, without their list.
    static func files(_ path: String) throws -> [String] {
        try FileSystem.names(in: "\(path)/.ami-zoo/attachments").filter { $0 != "index.json" }
    }
}
