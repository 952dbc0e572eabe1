// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTrust

/// The registry folder whose metadata a command makes or changes.
struct OwnedRegistryOptions: ParsableArguments {
    @Argument(help: "The registry folder.")
    var root: String

    @Option(
        help: ArgumentHelp(
            "The folder for the registry's own keys and for metadata that waits for signatures; not in the "
                + "registry.",
            valueName: "folder"
        )
    )
    var state: String

    @Option(
        help: ArgumentHelp(
            "A further key that signs now: the name of one of your keys, or a PEM file. Repeatable.",
            valueName: "name"
        )
    )
    var signWith: [String] = []

    /// Changes the registry.
    ///
    /// - Parameters:
    ///   - listed: keys of the change, those of which the user has private halves sign too.
    ///   - body: the change.
    /// - Returns: what is done or missing.
    /// - Throws: ``ZooError`` with a `key.*` code, or what the change throws.
    func change(
        _ listed: [String] = [],
        _ body: @escaping @Sendable (Change, Cancellation) throws -> TrustOutcome
    ) async throws -> TrustOwnerOutcome {
        let surroundings = Surroundings()
        let (root, state) = (FileSystem.absolute(root), FileSystem.absolute(state))
        let signers =
            try SigningOptions.privateKeys(signWith, surroundings)
            + SigningOptions.privateHalves(of: listed, surroundings)
        let outcome = try await Interruption.cancelling {
            try await BlockingWork.run { cancellation in
                let change = Change(
                    registry: try RegistryFolder(opening: root),
                    state: try TrustState(state, of: root),
                    keys: signers,
                    now: Clock.seconds()
                )
                return try body(change, cancellation)
            }
        }
        return TrustOwnerOutcome(path: root, state: state, outcome: outcome)
    }

    /// What a change works with.
    struct Change: Sendable {
        let registry: RegistryFolder
        let state: TrustState
        let keys: [PrivateKey]
        let now: Int
    }
}

/// A change of the metadata of a registry.
struct TrustOwnerOutcome: Report {
    let path: String
    let state: String
    let outcome: TrustOutcome

    var json: JSONValue {
        [
            "path": .string(path), "complete": .bool(outcome.missing.isEmpty),
            "fingerprint": outcome.fingerprint.map { .string($0.description) } ?? .null,
            "missing": .array(
                outcome.missing.map { missing in
                    [
                        "role": .string(missing.role), "path": .string(missing.path),
                        "signatures": .integer(missing.signatures),
                        "threshold": .integer(missing.threshold),
                    ]
                }
            ),
        ]
    }

    var text: String {
        guard outcome.missing.isEmpty else {
            let open = outcome.missing.map {
                "\($0.path): \($0.signatures) of \($0.threshold) signatures of the role '\($0.role)'"
            }
            return
                (["more signatures are needed:"] + open + [
                    "sign with 'ami-zoo trust sign \(path) --state \(state) --key NAME', or send the files to "
                        + "those who sign"
                ]).joined(separator: "\n")
        }
        let expires = outcome.state.map {
            "; the timestamp is valid until \($0.timestamp.content.header.expires)"
        }
        return "\(path) is signed: root \(outcome.fingerprint?.description ?? "")\(expires ?? "")"
    }
}

/// Keys and thresholds on a command line.
private func plan(_ keys: [String], threshold: Int?) throws(ZooError) -> RolePlan {
    var list: [VerificationKey] = []
    for key in keys {
        list.append(try KeyArgument(text: key, surroundings: Surroundings()).publicKey())
    }
    return RolePlan(keys: list, threshold: threshold ?? list.count / 2 + 1)
}

/// `ami-zoo trust init`.
struct TrustInitCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Sign a registry folder.",
        discussion: """
            Makes the metadata of The Update Framework (TUF) in the folder 'tuf' of the registry, which             lists every model. Clients that trust the root accept only what is signed from then on.             The keys of snapshot and timestamp are made in the folder of --state; without them nothing can             be published.
            """
    )

    @OptionGroup var registry: OwnedRegistryOptions

    @Option(
        help: ArgumentHelp(
            "A key of the root: the name of one of your keys, or a PEM file with a public key. Repeatable.",
            valueName: "name"
        )
    )
    var key: [String]

    @Option(help: "How many keys must sign the root. Default: more than half of them.")
    var threshold: Int?

    @Option(
        help: ArgumentHelp(
            "A key that signs for models. Repeatable. Default: those of the root.",
            valueName: "name"
        )
    )
    var targetsKey: [String] = []

    @Option(help: "How many of these keys must sign for models. Default: 1.")
    var targetsThreshold = 1

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustOwnerOutcome {
        let root = try plan(key, threshold: threshold)
        let targets = try plan(targetsKey.isEmpty ? key : targetsKey, threshold: targetsThreshold)
        return try await registry.change(key + targetsKey) { change, cancellation in
            try change.registry.sign(
                root: root,
                targets: targets,
                in: change.state,
                with: change.keys,
                at: change.now,
                cancellation
            )
        }
    }
}

/// `ami-zoo trust delegate`.
struct TrustDelegateCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "delegate",
        abstract: "Let keys sign for the models of a namespace.",
        discussion: """
            Only these keys sign for the namespace from then on. The keys of the role 'targets' sign the             delegation, and the new keys the list of the models that are there already. For a namespace that             is delegated already the keys are replaced.
            """
    )

    @OptionGroup var registry: OwnedRegistryOptions

    @Argument(help: "The namespace, such as 'ami'.")
    var namespace: String

    @Option(
        help: ArgumentHelp(
            "A key for the namespace: the name of one of your keys, or a PEM file with a public key. "
                + "Repeatable.",
            valueName: "name"
        )
    )
    var key: [String]

    @Option(help: "How many keys must sign. Default: 1.")
    var threshold = 1

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustOwnerOutcome {
        let (plan, namespace) = (try plan(key, threshold: threshold), namespace)
        return try await registry.change(key) { change, cancellation in
            try change.registry.delegate(
                namespace,
                to: plan,
                in: change.state,
                with: change.keys,
                at: change.now,
                cancellation
            )
        }
    }
}

/// `ami-zoo trust rotate`.
struct TrustRotateCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace keys: make the next version of the root.",
        discussion: """
            Enough keys of the old root and of the new one sign it. 'ami-zoo trust delegate' replaces the             keys of a namespace.
            """
    )

    @OptionGroup var registry: OwnedRegistryOptions

    @Option(
        help: ArgumentHelp(
            "A key of the new root. Repeatable. Default: the keys stay.",
            valueName: "name"
        )
    )
    var key: [String] = []

    @Option(help: "How many keys must sign the root. Default: more than half of them.")
    var threshold: Int?

    @Option(
        help: ArgumentHelp(
            "A new key that signs for models. Repeatable. Default: the keys stay.",
            valueName: "name"
        )
    )
    var targetsKey: [String] = []

    @Option(help: "How many of these keys must sign for models. Default: 1.")
    var targetsThreshold = 1

    @Flag(help: "Make new keys for snapshot and timestamp.")
    var online = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !key.isEmpty || !targetsKey.isEmpty || online else {
            throw ValidationError("give the new keys with --key or --targets-key, or --online")
        }
    }

    func report() async throws -> TrustOwnerOutcome {
        let root = key.isEmpty ? nil : try plan(key, threshold: threshold)
        let targets =
            targetsKey.isEmpty ? nil : try plan(targetsKey, threshold: targetsThreshold)
        return try await registry.change(key + targetsKey) { [online] change, cancellation in
            try change.registry.rotate(
                root: root,
                targets: targets,
                online: online,
                in: change.state,
                with: change.keys,
                at: change.now,
                cancellation
            )
        }
    }
}

/// `ami-zoo trust renew`.
struct TrustRenewCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Sign metadata again before it expires.",
        discussion: """
            Snapshot and timestamp are signed again each time: run it daily. Root and lists of models are             signed again when less than half of their year is left and --sign-with gives enough keys.
            """
    )

    @OptionGroup var registry: OwnedRegistryOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustOwnerOutcome {
        try await registry.change { change, cancellation in
            try change.registry.renewMetadata(
                in: change.state,
                with: change.keys,
                at: change.now,
                cancellation
            )
        }
    }
}

/// `ami-zoo trust sign`.
struct TrustSignCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign metadata that waits for signatures.",
        discussion: """
            With a registry folder and --state, signs everything that waits, and completes the change when             there are enough signatures. With a file of root or targets metadata, adds signatures to the file:             for signers elsewhere, who send it back.
            """
    )

    @Argument(help: "The registry folder, or a metadata file.")
    var path: String

    @Option(
        help: ArgumentHelp(
            "The folder with the metadata that waits; for a registry folder.",
            valueName: "folder"
        )
    )
    var state: String?

    @Option(
        help: ArgumentHelp(
            "The key that signs: the name of one of your keys, or a PEM file. Repeatable.",
            valueName: "name"
        )
    )
    var key: [String] = []

    @OptionGroup var output: OutputOptions

    func report() async throws -> TrustSignOutcome {
        let path = FileSystem.absolute(path)
        guard let state else { return .file(path, try await signFile(path)) }
        var registry = OwnedRegistryOptions()
        (registry.root, registry.state, registry.signWith) = (path, state, key)
        return .registry(
            try await registry.change { change, cancellation in
                try change.registry.signPending(
                    in: change.state,
                    with: change.keys,
                    at: change.now,
                    cancellation
                )
            }
        )
    }

    private func signFile(_ path: String) async throws -> LooseMetadata {
        guard !FileSystem.isFolder(path) else {
            throw ZooError(
                .trustRole,
                "'\(path)' is a folder, and --state is not given",
                remedy: "give the folder of the registry's state with --state, or a metadata file"
            )
        }
        let keys = try SigningOptions.privateKeys(key, Surroundings())
        return try await BlockingWork.run { _ in
            let bytes = try FileSystem.document(path, limit: 16 << 20)
            let signed = try LooseMetadata(signing: bytes, with: keys)
            try FileSystem.writeAtomically(path, signed.bytes)
            return signed
        }
    }
}

/// Signatures in a file, or a change of a registry.
enum TrustSignOutcome: Report {
    case file(String, LooseMetadata)
    case registry(TrustOwnerOutcome)

    var json: JSONValue {
        switch self {
        case .registry(let outcome): outcome.json
        case .file(let path, let signed):
            [
                "path": .string(path), "type": .string(signed.type),
                "version": .integer(signed.version),
            ]
        }
    }

    var text: String {
        switch self {
        case .registry(let outcome): outcome.text
        case .file(let path, let signed):
            "signed version \(signed.version) of the \(signed.type) metadata: \(path)"
        }
    }
}
