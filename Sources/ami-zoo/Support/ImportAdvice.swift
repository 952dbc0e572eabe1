// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore

extension Surroundings {
    /// Runs `body`; when the registry lacks the model and the catalogue has it, the remedy says how to
    /// import it.
    ///
    /// - Parameters:
    ///   - name: the model that was asked for.
    ///   - body: what asks the registry.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    func advisingImport<Result>(
        of name: ModelName,
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as ZooError where error.code == .modelUnknown {
            // Without a catalogue, or without an entry that can be imported, the error stands as it is.
            guard (try? catalogue().entry(name)) != nil else { throw error }
            throw ZooError(
                error.code,
                error.message,
                remedy: "'ami-zoo import \(name)' downloads it from the lab and converts it",
                cause: error.cause
            )
        }
    }
}
