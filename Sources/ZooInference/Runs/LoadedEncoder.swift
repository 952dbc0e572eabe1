// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooFiles
internal import ZooModels

/// The encoder of a model folder, and the reader of its inputs.
struct LoadedEncoder: Sendable {
    let model: any JEPAEncoder
    let reader: InputReader

    /// Loads a model folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder with `config.json` and weights.
    ///   - selection: the frames of a video to read.
    ///   - onNote: receives warnings about inputs; see ``InputReader``.
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    init(
        folder: String,
        selection: FrameSelection,
        onNote: (@Sendable (String) -> Void)?
    ) async throws {
        model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
            try ModelFamily.load(folder: folder)
        }
        reader = InputReader(
            folder: folder,
            input: model.input,
            selection: selection,
            onNote: onNote
        )
    }
}
