// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// `ami-zoo registry delete`.
struct RegistryDeleteCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a version from a registry folder, for good.",
        discussion: """
            Whoever depends on the version can no longer fetch it: 'ami-zoo yank' is usually better. \
            The deletion is logged in the registry, and the version number stays taken. \
            'ami-zoo registry gc' frees the space.
            """
    )

    @Argument(help: "The version to delete, such as ami/ball-drop:1.0.0.")
    var reference: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Signed registries") var signing: SigningOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> RegistryDeleteOutcome {
        let release = try ChangedRelease(reference)
        let surroundings = Surroundings()
        let root = try surroundings.registryFolder(registry, host: release.host)
        let keys = try signing.keys(surroundings)
        let digest = try await BlockingWork.run { cancellation in
            let folder = try keys.open(root)
            try folder.require(release.digest, of: release.name, release.version)
            let date = Timestamp(secondsSince1970: Clock.seconds())
            return try folder.delete(release.name, release.version, at: date, cancellation)
        }
        return RegistryDeleteOutcome(release: release, root: root, digest: digest)
    }
}

struct RegistryDeleteOutcome: Report {
    let release: ChangedRelease
    let root: String
    let digest: ContentDigest

    var json: JSONValue {
        [
            "reference": .string(release.reference.description),
            "digest": .string(digest.description), "path": .string(root),
        ]
    }

    var text: String {
        "\(release.reference) \(digest.short) is deleted; 'ami-zoo registry gc \(root)' "
            + "frees its space"
    }
}

/// A duration on the command line: a whole number and a unit, such as `24h`.
struct GracePeriod: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }),
            argument.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(argument.dropLast()), number <= 100_000
        else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String { "\(seconds / 3600)h" }

    /// The time before which files are old, in nanoseconds since 1970.
    var cutoff: Int { Clock.nanoseconds() - seconds * 1_000_000_000 }
}

/// `ami-zoo registry gc`.
struct RegistryCollectCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove the blobs of a registry folder that nothing refers to.",
        discussion: """
            Also removes what interrupted programs left. Publications may run at the same time; \
            they wait for the collection to end.
            """
    )

    @Argument(help: "The registry folder.")
    var root: String

    @Flag(help: "Remove nothing; show what would be removed.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Keep files younger than this, such as 30m, 24h or 7d: a publication may need them.",
            valueName: "duration"
        )
    )
    var grace = GracePeriod(seconds: 86_400)

    @OptionGroup var output: OutputOptions

    func report() async throws -> RegistryCollectOutcome {
        let (path, cutoff, dryRun) = (FileSystem.absolute(root), grace.cutoff, dryRun)
        let collected = try await Interruption.cancelling {
            try await BlockingWork.run { cancellation in
                try RegistryFolder(opening: path)
                    .collect(olderThan: cutoff, dryRun: dryRun, cancellation)
            }
        }
        return RegistryCollectOutcome(path: path, dryRun: dryRun, collected: collected)
    }
}

struct RegistryCollectOutcome: Report {
    let path: String
    let dryRun: Bool
    let collected: RegistryFolder.Collected

    var json: JSONValue {
        [
            "path": .string(path), "dryRun": .bool(dryRun), "blobs": .integer(collected.blobs),
            "indexDocuments": .integer(collected.revisions),
            "metadata": .integer(collected.metadata),
            "temporaryFiles": .integer(collected.temporaryFiles),
            "uploads": .integer(collected.uploads), "bytes": .integer(collected.bytes),
            "kept": .integer(collected.kept),
        ]
    }

    var text: String {
        let parts = [
            Counted.text(collected.blobs, "blob"),
            Counted.text(collected.revisions, "old index document"),
            Counted.text(collected.metadata, "old metadata file"),
            Counted.text(collected.temporaryFiles, "temporary file"),
            Counted.text(collected.uploads, "upload"),
        ]
        return "\(parts.joined(separator: ", ")) "
            + (dryRun ? "would be removed" : "removed") + ": \(ByteCount(collected.bytes)); "
            + "\(Counted.text(collected.kept, "blob")) kept"
    }
}
