// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooServer

/// Options of `serve` for private registries.
struct MountOptions: ParsableArguments {
    @Option(
        name: .customLong("mount"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "PREFIX=ROOT: also serve the registry folder ROOT under PREFIX; requires --state.",
            discussion:
                "Its accounts are in the folder PREFIX of the state folder. May be repeated."
        )
    )
    var mounts: [String] = []

    /// The registries, with accounts of their own.
    ///
    /// - Parameter access: the options for accounts; they name a state folder.
    /// - Returns: the registries.
    /// - Throws: ``ZooError`` with code `server.mount-malformed`, or as ``AccessOptions/policy(prefix:)``.
    func registries(_ access: AccessOptions) async throws -> [MountedRegistry] {
        var registries: [MountedRegistry] = []
        for text in mounts {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ZooError(
                    .mountMalformed,
                    "'\(text)' is not a mount",
                    remedy: "write PREFIX=ROOT, such as 'partner=/srv/partner'"
                )
            }
            let prefix = try MountPrefix(parsing: parts[0])
            guard let policy = try await access.policy(prefix: prefix.text) else { continue }
            registries.append(
                MountedRegistry(
                    prefix: prefix,
                    root: FileSystem.absolute(parts[1]),
                    policy: policy
                )
            )
        }
        return registries
    }
}
