// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooRegistry

/// Copies releases and their attachments from one registry to another, by digest.
///
/// A run that was interrupted is repeated: what the destination has is not sent again.
package struct RegistryMirror: Sendable {
    /// What to copy: one release, or every version of a model.
    package struct Selection: Sendable {
        fileprivate let reference: ModelReference
        fileprivate let isWholeModel: Bool

        /// Parses a reference; a name alone selects every version.
        ///
        /// - Throws: ``ZooError`` with code `reference.malformed`, or `registry.address-invalid` when
        ///   the reference has a host.
        package init(parsing text: String) throws(ZooError) {
            reference = try ModelReference(parsing: text)
            guard reference.host == nil else {
                throw ZooError(
                    .registryAddress,
                    "'\(text)' names a registry, and a mirror copies from one registry",
                    remedy: "leave out the host, and give the registry as the first argument"
                )
            }
            isWholeModel = text == reference.name.description
        }

        fileprivate init(_ name: ModelName) {
            reference = ModelReference(name: name, selector: .channel(.stable))
            isWholeModel = true
        }
    }

    /// What was copied.
    package struct Report: Sendable {
        /// The releases that the destination has now.
        package fileprivate(set) var releases: [Publisher.Report] = []
        /// Yanked releases that were left out, because the destination cannot record the yank.
        package fileprivate(set) var skipped: [ModelReference] = []
    }

    private let source: Registry
    private let target: any RegistryTarget
    private let streams: Int
    private let isSourceCurrent: Bool
    private let progress: @Sendable (PullEvent) -> Void

    /// Creates a mirror.
    ///
    /// - Parameters:
    ///   - source: the registry to copy from.
    ///   - target: the registry to copy to.
    ///   - streams: the number of blobs that travel at the same time.
    ///   - isSourceCurrent: whether yanks that the source does not have are taken back. An export may be
    ///     older than a yank at the destination.
    ///   - progress: receives the progress.
    package init(
        from source: Registry,
        to target: any RegistryTarget,
        streams: Int = 4,
        isSourceCurrent: Bool = false,
        progress: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) {
        self.source = source
        self.target = target
        self.streams = streams
        self.isSourceCurrent = isSourceCurrent
        self.progress = progress
    }

    /// Copies releases.
    ///
    /// - Parameter selections: the releases; empty for all that the source lists.
    /// - Returns: what was copied.
    /// - Throws: ``ZooError`` with code `registry.model-not-found`, `registry.version-not-found`,
    ///   `registry.not-a-registry` when the source does not list its models, or as
    ///   ``Publisher/publish(_:isDryRun:)``; `CancellationError`.
    package func copy(_ selections: [Selection]) async throws -> Report {
        var report = Report()
        let editor = try await target.indexEditor()
        for selection in selections.isEmpty ? try await everything() : selections {
            let name = selection.reference.name
            let publisher = publisher(of: name)
            let entries = try await entries(of: selection)
            for entry in entries {
                guard entry.yank == nil || editor != nil else {
                    report.skipped.append(
                        ModelReference(name: name, selector: .version(entry.version))
                    )
                    continue
                }
                report.releases.append(try await copy(entry, of: name, publisher, editor))
            }
            if isSourceCurrent, let editor {
                try await takeBackYanks(of: entries, of: name, editor)
            }
            if selection.isWholeModel, let editor { try await copyChannels(of: name, editor) }
        }
        return report
    }

    private func copy(
        _ entry: IndexDocument.Entry,
        of name: ModelName,
        _ publisher: Publisher,
        _ editor: IndexEditor?
    ) async throws -> Publisher.Report {
        let report = try await publisher.publish(entry.digest, as: entry.version)
        guard let yank = entry.yank, let editor else { return report }
        let listed = try await editor.index(of: name)?.entries ?? []
        if listed.first(where: { $0.version == entry.version })?.yank?.reason != yank.reason {
            try await editor.apply(
                IndexChange(name, .yank(entry.version, reason: yank.reason), digest: entry.digest),
                at: yank.date
            )
        }
        return report
    }

    /// Takes back the yanks of versions that the source does not yank, or no longer.
    private func takeBackYanks(
        of entries: [IndexDocument.Entry],
        of name: ModelName,
        _ editor: IndexEditor
    ) async throws {
        let usable = Set(entries.lazy.filter { $0.yank == nil }.map(\.version))
        guard !usable.isEmpty else { return }
        for entry in try await editor.index(of: name)?.entries ?? []
        where entry.yank != nil && usable.contains(entry.version) {
            try await editor.apply(
                IndexChange(name, .unyank(entry.version), digest: entry.digest)
            )
        }
    }

    /// Gives the versions of the source the channels that they have there.
    private func copyChannels(of name: ModelName, _ editor: IndexEditor) async throws {
        let wanted = try await source.completeIndex(of: name)
        guard let present = try await editor.index(of: name) else { return }
        // Versions that only the destination has keep their channels.
        let copied = Set(wanted.entries.map(\.version)).intersection(present.entries.map(\.version))
        for channel in Set(wanted.channels.keys).union(present.channels.keys).sorted() {
            let (own, other) = (wanted.channels[channel] ?? [], present.channels[channel] ?? [])
            let adding = own.intersection(copied).subtracting(other)
            let removing = other.intersection(copied).subtracting(own)
            guard !adding.isEmpty || !removing.isEmpty else { continue }
            try await editor.apply(
                IndexChange(name, .channel(channel, adding: adding, removing: removing))
            )
        }
    }

    private func publisher(of name: ModelName) -> Publisher {
        let origin: any ReleaseOrigin =
            if let root = source.folder {
                LocalOrigin(folder: RegistryDocuments(root: root))
            } else {
                RemoteOrigin(registry: source, name: name)
            }
        return Publisher(origin, to: target, streams: streams, progress: progress)
    }

    private func everything() async throws -> [Selection] {
        do {
            return try await source.catalogue().map { Selection($0.name) }
        } catch let error as ZooError where error.code == .notARegistry {
            throw ZooError(
                .notARegistry,
                "\(source.source.address) does not list its models",
                remedy: "name the models after the destination, such as 'ami/ball-drop'",
                cause: error
            )
        }
    }

    private func entries(of selection: Selection) async throws -> [IndexDocument.Entry] {
        let reference = selection.reference
        guard !selection.isWholeModel else {
            return try await source.completeIndex(of: reference.name).entries
        }
        let entry = try await source.entry(for: reference)
        guard let digest = reference.digest, digest != entry.digest else { return [entry] }
        throw ZooError(
            .registryMismatch,
            "\(source.source.address) has digest \(entry.digest) for "
                + "'\(reference.name):\(entry.version)', and the reference requires \(digest)",
            remedy: "do not use the release before you know why the digests differ"
        )
    }
}
