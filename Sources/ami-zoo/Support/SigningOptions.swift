// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// The keys that sign changes of a signed registry.
struct SigningOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A key that may sign for the namespace: the name of one of your keys, or a PEM file. Repeatable.",
            valueName: "name"
        )
    )
    var signWith: [String] = []

    @Option(
        help: ArgumentHelp(
            "The folder with the registry's own keys, which 'ami-zoo trust init' made; for a registry "
                + "folder.",
            valueName: "folder"
        )
    )
    var state: String?

    /// The keys.
    ///
    /// - Throws: ``ZooError`` with a `key.*` code.
    func keys(_ surroundings: Surroundings) throws(ZooError) -> PublisherKeys {
        PublisherKeys(
            keys: try Self.privateKeys(signWith, surroundings),
            state: state.map(FileSystem.absolute)
        )
    }

    /// The private halves that the user has of keys; somebody else signs with the others.
    static func privateHalves(
        of names: [String],
        _ surroundings: Surroundings
    ) throws(ZooError) -> [PrivateKey] {
        var keys: [PrivateKey] = []
        for name in names where KeyFolder.isName(name) {
            if let key = try privateHalf(of: name, surroundings) { keys.append(key) }
        }
        return keys
    }

    private static func privateHalf(
        of name: String,
        _ surroundings: Surroundings
    ) throws(ZooError) -> PrivateKey? {
        do throws(ZooError) {
            return try KeyArgument(text: name, surroundings: surroundings).metadataKey()
        } catch  where error.code == .keyUnknown {
            return nil
        }
    }

    /// Private keys by their names or files, each with its passphrase.
    static func privateKeys(
        _ names: [String],
        _ surroundings: Surroundings
    ) throws(ZooError) -> [PrivateKey] {
        var keys: [PrivateKey] = []
        for name in names {
            keys.append(try KeyArgument(text: name, surroundings: surroundings).metadataKey())
        }
        return keys
    }
}
