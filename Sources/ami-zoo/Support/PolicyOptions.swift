// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// What `verify` requires besides intact bytes, and how it reports that.
struct PolicyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The policy that the model must meet: a YAML file.",
            discussion: "Default: policy.yaml in the folder of the configuration, if it exists.",
            valueName: "file"
        )
    )
    var policy: String?

    @Flag(help: "Print each rule of the policy, what was seen, and the verdict.")
    var explain = false

    @Option(
        help: ArgumentHelp(
            "Also write the report to this file, as one HTML page that loads nothing.",
            valueName: "file"
        )
    )
    var html: String?

    /// Whether an option asks for something.
    var isGiven: Bool { policy != nil || explain || html != nil }

    /// Reads the policy: the file of the option, else that of the user, else none but digests.
    ///
    /// - Throws: ``ZooError`` with code `policy.invalid` or `io.*`.
    func load(_ surroundings: Surroundings) throws(ZooError) -> LoadedPolicy {
        var path = policy.map(FileSystem.absolute)
        if path == nil, let usual = surroundings.policyFile, try FileSystem.status(usual) != nil {
            path = usual
        }
        guard let path else { return LoadedPolicy(policy: .digests, path: nil, keys: []) }
        let bytes = try FileSystem.document(path, limit: YAMLDocument.limit, followingLinks: true)
        let object = try YAMLDocument.object(bytes) { what in
            ZooError(
                .policyInvalid,
                "the policy '\(path)' \(what)",
                remedy: "correct the file; 'Policy' in docs/commands.md has an example"
            )
        }
        let policy = try TrustPolicy(object, path: path)
        let hints = policy.keyHints
        var keys: [VerificationKey] = []
        if !hints.isEmpty, let folder = try? surroundings.keyFolder {
            keys = try KeyFolder(folder).entries()
                .filter { $0.revoked == nil && hints.contains($0.key.hint) }.map(\.key)
        }
        return LoadedPolicy(policy: policy, path: path, keys: keys)
    }
}

/// A policy that was read.
struct LoadedPolicy: Sendable {
    let policy: TrustPolicy
    /// The file; nil without one.
    let path: String?
    /// The public keys of its signers that are on this machine and not revoked.
    let keys: [VerificationKey]

    /// The keys of signers that signatures name, each once; a claim until they are checked.
    func keys(ofSignatures bundles: [[UInt8]]) -> [VerificationKey] {
        let hints = bundles.compactMap { bundle -> String? in
            guard case .key(let hint)? = (try? SignatureBundle(parsing: bundle))?.signer else {
                return nil
            }
            return hint
        }
        return keys.filter { hints.contains($0.hint) }
    }
}
