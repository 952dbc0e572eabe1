// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels

/// The model that is measured.
package struct EvaluatedModel: Sendable {
    /// The folder.
    package let folder: String
    /// What identifies its bytes: the digest of the manifest of a release.
    package let digest: ContentDigest
    private let loaded: LoadedEncoder

    /// Describes a model; its weights are read when a suite needs them.
    ///
    /// - Parameters:
    ///   - folder: a model folder.
    ///   - digest: the digest of the manifest of these bytes.
    package init(folder: String, digest: ContentDigest) {
        self.folder = folder
        self.digest = digest
        loaded = LoadedEncoder(folder: folder)
    }

    /// The encoder, with its predictor; loaded once for all suites.
    ///
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    func encoder() async throws -> any JEPAEncoder { try await loaded.encoder() }

    /// The preprocessing that the model's folder says.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when it makes several views.
    func preprocessing() throws(ZooError) -> Preprocessing {
        let steps = try Preprocessing(folder: folder)
        guard steps.viewCount == 1 else {
            throw .dataUnsuitable(
                "the preprocessing of the model makes \(steps.viewCount) views of a clip"
            )
        }
        return steps
    }
}

/// The encoder of a folder, once it was needed.
private actor LoadedEncoder {
    private let folder: String
    private var loaded: (any JEPAEncoder)?

    init(folder: String) { self.folder = folder }

    func encoder() async throws -> any JEPAEncoder {
        if let loaded { return loaded }
        let encoder = try await BlockingWork.run(whenCancelled: .abandoned) { [folder] _ in
            try ModelFamily.load(folder: folder)
        }
        loaded = encoder
        return encoder
    }
}
