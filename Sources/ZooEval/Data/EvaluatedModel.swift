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
    /// The encoder, with its predictor.
    let encoder: any JEPAEncoder

    /// Loads the model of a folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder.
    ///   - digest: the digest of the manifest of these bytes.
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    package init(folder: String, digest: ContentDigest) async throws {
        self.folder = folder
        self.digest = digest
        encoder = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
            try ModelFamily.load(folder: folder)
        }
    }

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
