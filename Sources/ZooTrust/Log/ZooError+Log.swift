// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ZooError.Code {
    /// A checkpoint, tile, entry or proof of a log violates its format.
    package static let logMalformed = Self("log.malformed", .badData)
    /// A text is no key of a log.
    package static let logKeyMalformed = Self("log.key-malformed", .badData)
    /// A checkpoint is not signed by its log.
    package static let logSignatureInvalid = Self("log.signature-invalid", .notPermitted)
    /// A log does not begin with the entries that it had before.
    package static let logForked = Self("log.forked", .integrity)
    /// A log has fewer entries than before.
    package static let logTruncated = Self("log.truncated", .notPermitted)
    /// An index document is older than one that this machine has read.
    package static let logRollback = Self("log.rollback", .notPermitted)
    /// A registry had a log, and has none now or another one.
    package static let logReplaced = Self("log.replaced", .notPermitted)
    /// A log does not have a tile that its checkpoint requires.
    package static let logIncomplete = Self("log.incomplete", .notFound)
    /// A tile or an entry is not what the signed checkpoint commits to.
    package static let logMismatch = Self("log.content-mismatch", .integrity)
    /// The log does not say what an index document says.
    package static let logContradicted = Self("log.entry-mismatch", .integrity)
    /// A registry has no log.
    package static let logMissing = Self("log.missing", .notFound)
    /// A registry has a log already, with another name.
    package static let logExists = Self("log.exists", .usage)
    /// This machine does not have the private key of a log.
    package static let logKeyMissing = Self("log.key-missing", .notPermitted)
}

extension ZooError {
    static func malformedLog(_ what: String, _ problem: String) -> ZooError {
        ZooError(.logMalformed, "\(what) \(problem)", remedy: "report it to the registry's owner")
    }

    static func malformedLogKey(_ problem: String) -> ZooError {
        ZooError(
            .logKeyMalformed,
            "the text is no key of a log: \(problem)",
            remedy: "a key is a line such as 'example.org/log+7f3e1b2a+AZ…'; 'ami-zoo registry log "
                + "show' prints that of a registry"
        )
    }
}
