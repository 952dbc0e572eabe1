// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore

/// What to do when a registry lacks a model that the catalogue has.
enum ImportAdvice {
    /// The error, or one with the command that imports the model as its remedy.
    ///
    /// - Parameters:
    ///   - error: why a command failed.
    ///   - reference: the model that it asked a registry for.
    /// - Returns: the error to show.
    static func added(to error: any Error, about reference: String?) -> any Error {
        // Without a catalogue, or without an entry that can be imported, the error stands as it is.
        guard let error = error as? ZooError, error.code == .modelUnknown, let reference,
            let name = (try? ModelReference(parsing: reference))?.name,
            (try? Surroundings().catalogue().entry(name)) != nil
        else { return error }
        return ZooError(
            error.code,
            error.message,
            remedy: "'ami-zoo import \(name)' downloads it from the lab and converts it",
            cause: error.cause
        )
    }
}

extension PullCommand {
    var requestedModel: String? { reference }
}

extension ShowCommand {
    var requestedModel: String? { reference }
}

extension VersionsCommand {
    var requestedModel: String? { name }
}
