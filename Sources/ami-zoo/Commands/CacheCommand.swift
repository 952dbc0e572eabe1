// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// `ami-zoo cache`.
struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Inspect and clean the local store.",
        subcommands: [CacheListCommand.self, CacheUsageCommand.self, CacheCollectCommand.self]
    )
}

/// `ami-zoo cache ls`.
struct CacheListCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the installed models and data sets."
    )

    @OptionGroup var output: OutputOptions

    func report() async throws -> CacheListOutcome {
        let store = try Surroundings().store
        return CacheListOutcome(root: store.root, releases: try store.releases())
    }
}

struct CacheListOutcome: Report {
    let root: String
    let releases: [InstalledRelease]

    var json: JSONValue {
        [
            "root": .string(root),
            "releases": .array(
                releases.map { release in
                    [
                        "reference": .string(release.reference.description),
                        "kind": .string(release.record.kind.rawValue),
                        "digest": .string(release.digest.description),
                        "path": .string(release.folder),
                        "bytes": .integer(release.files.reduce(0) { $0 + $1.size }),
                        "components": release.components.map {
                            .array($0.sorted().map(JSONValue.string))
                        } ?? .null,
                        "registry": .string(release.registry),
                    ]
                }
            ),
        ]
    }

    var text: String {
        guard !releases.isEmpty else { return "nothing is installed in \(root)" }
        return Table.text(
            ["RELEASE", "KIND", "SIZE", "DIGEST", "PATH"],
            releases.map { release in
                [
                    release.reference.description, release.record.kind.noun,
                    ByteCount(release.files.reduce(0) { $0 + $1.size }).description,
                    release.digest.short, release.folder,
                ]
            }
        )
    }
}

/// `ami-zoo cache du`.
struct CacheUsageCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Show how much disk space the local store uses."
    )

    @OptionGroup var output: OutputOptions

    func report() async throws -> CacheUsageOutcome {
        let store = try Surroundings().store
        let root = store.root
        return try await BlockingWork.run { _ in
            CacheUsageOutcome(
                root: root,
                models: try FileSystem.allocatedBytes(below: "\(root)/models"),
                staging: try FileSystem.allocatedBytes(below: "\(root)/staging"),
                documents: try FileSystem.allocatedBytes(below: "\(root)/registries"),
                evaluation: try FileSystem.allocatedBytes(below: store.evaluation),
                evidence: try FileSystem.allocatedBytes(below: store.evidence)
            )
        }
    }
}

struct CacheUsageOutcome: Report {
    let root: String
    let models: Int
    let staging: Int
    let documents: Int
    let evaluation: Int
    let evidence: Int

    private var total: Int { models + staging + documents + evaluation + evidence }

    var json: JSONValue {
        [
            "root": .string(root), "models": .integer(models), "staging": .integer(staging),
            "documents": .integer(documents), "evaluation": .integer(evaluation),
            "evidence": .integer(evidence), "total": .integer(total),
        ]
    }

    var text: String {
        Table.text(
            ["WHAT", "ON DISK"],
            [
                ["installed models and data sets", ByteCount(models).description],
                ["unfinished pulls", ByteCount(staging).description],
                ["cached documents", ByteCount(documents).description],
                ["stored results of evaluations", ByteCount(evaluation).description],
                ["evidence of validations", ByteCount(evidence).description],
                ["total in \(root)", ByteCount(total).description],
            ]
        )
    }
}
