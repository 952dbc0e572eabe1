// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles

/// `ami-zoo lock`.
struct LockCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Write the exact releases that a project uses to ami-zoo.lock.",
        discussion: """
            Adds the models and data sets to the lock file in the working folder, or replaces what it says about \
            them. Keep the file under version control: 'ami-zoo pull --locked' installs exactly \
            these releases, on every machine.
            """
    )

    @Argument(
        help: "The models and data sets to lock, such as ami/ball-drop or ami/ball-drop:1.0.0."
    )
    var references: [String]

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> LockOutcome {
        let path = FileSystem.absolute(ProjectLock.fileName)
        var lock = try FileSystem.status(path) == nil ? ProjectLock() : ProjectLock(path: path)
        var changed: [ModelName: ArtifactKind] = [:]
        for text in references {
            let reference = try ModelReference(parsing: text)
            let source = try Surroundings().registry(registry, network, host: reference.host)
            let release = try await source.resolve(reference)
            if let yank = release.yank {
                Console.note("warning: \(reference) is yanked: \(yank.reason)")
            }
            lock.entries[reference.name] = ProjectLock.Entry(
                version: release.record.version,
                digest: release.digest,
                registry: source.source.address
            )
            changed[reference.name] = release.record.kind
        }
        // Last, so that a failure leaves the old file.
        try lock.write(to: path)
        return LockOutcome(path: path, lock: lock, changed: changed)
    }
}

struct LockOutcome: Report {
    let path: String
    let lock: ProjectLock
    /// What was locked now, and its kind.
    let changed: [ModelName: ArtifactKind]

    private var names: [ModelName] { changed.keys.sorted() }

    private func fields(of name: ModelName) -> JSONValue? {
        guard let entry = lock.entries[name], let kind = changed[name] else { return nil }
        return [
            "reference": .string("\(name):\(entry.version)"),
            "kind": .string(kind.rawValue),
            "digest": .string(entry.digest.description),
            "registry": .string(entry.registry),
        ]
    }

    private func line(of name: ModelName) -> String? {
        guard let entry = lock.entries[name] else { return nil }
        return "\(name):\(entry.version) \(entry.digest.short) from \(entry.registry)"
    }

    var json: JSONValue {
        ["path": .string(path), "locked": .array(names.compactMap { fields(of: $0) })]
    }

    var text: String {
        var lines = names.compactMap { line(of: $0) }
        lines.append(path)
        return lines.joined(separator: "\n")
    }
}
