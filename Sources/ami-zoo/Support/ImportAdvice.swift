// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore

/// The remedy for a model that the registry lacks and the catalogue has.
enum ImportAdvice {
    /// Adds the command that imports the model as the remedy of an error.
    ///
    /// - Parameters:
    ///   - error: the error of a command.
    ///   - reference: the model that the command requested from a registry.
    /// - Returns: the error to show.
    static func added(to error: any Error, about reference: String?) -> any Error {
        // Without a catalogue entry that can be imported, the error stays unchanged.
        guard let error = error as? ZooError, error.code == .modelUnknown, let reference,
            let name = (try? ModelReference(parsing: reference))?.name,
            (try? Surroundings().catalogue().entry(name)) != nil
        else { return error }
        return ZooError(
            error.code,
            error.message,
            remedy: "run 'ami-zoo import \(name)' to download it from the lab and convert it",
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
