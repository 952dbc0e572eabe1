// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTrust

/// The passphrase of a private key: from the environment, else from the terminal, which does not show it.
enum KeyPassphrase {
    /// The passphrase of an existing key; nil when there is none and nobody to ask.
    static func existing(of key: String, _ surroundings: Surroundings) -> [UInt8]? {
        if let passphrase = surroundings.keyPassphrase { return Array(passphrase.utf8) }
        guard Console.isInputTerminal else { return nil }
        Console.note("type the passphrase of '\(key)', then press Return")
        return Console.secretLine().map { Array($0.utf8) }
    }

    /// The passphrase of a new key, typed twice.
    static func new(_ surroundings: Surroundings) throws(ZooError) -> [UInt8] {
        let refusal = ZooError(
            .keyLocked,
            "there is no passphrase to encrypt the key with",
            remedy: "run the command in a terminal, or set AMI_ZOO_KEY_PASSPHRASE"
        )
        if let passphrase = surroundings.keyPassphrase {
            guard !passphrase.isEmpty else { throw refusal }
            return Array(passphrase.utf8)
        }
        guard Console.isInputTerminal else { throw refusal }
        Console.note("type a passphrase, then press Return")
        let first = Console.secretLine() ?? ""
        Console.note("type it again")
        guard !first.isEmpty, Console.secretLine()?.isExactly(first) == true else {
            throw ZooError(
                .keyLocked,
                "the two passphrases differ, or are empty",
                remedy: "run the command again"
            )
        }
        return Array(first.utf8)
    }
}
