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
    /// A probe that was published for the model, apart from it; nil for none.
    let probe: EvaluatedProbe?
    private let loadedEncoder: Loaded<any JEPAEncoder>
    private let loadedWorldModel: Loaded<any ActionConditionedModel>
    private let loadedClassifier: Loaded<VideoClassifier>

    /// Describes a model; its weights are read when a suite needs them.
    ///
    /// - Parameters:
    ///   - folder: a model folder.
    ///   - digest: the digest of the manifest of these bytes.
    ///   - probe: a probe that was published for the model, which replaces the classifier that the model may have.
    package init(folder: String, digest: ContentDigest, probe: EvaluatedProbe? = nil) {
        self.folder = folder
        self.digest = digest
        self.probe = probe
        loadedEncoder = Loaded { try ModelFamily.load(folder: folder) }
        loadedWorldModel = Loaded { try ModelFamily.loadWorldModel(folder: folder) }
        loadedClassifier = Loaded { try VideoClassifier(folder: folder) }
    }

    /// The encoder, with its predictor; loaded once for all suites.
    ///
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    func encoder() async throws -> any JEPAEncoder { try await loadedEncoder.value() }

    /// The action-conditioned model; loaded once for all suites.
    ///
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    func worldModel() async throws -> any ActionConditionedModel {
        try await loadedWorldModel.value()
    }

    /// The encoder with the probe, or else with the classifier that was published with it; loaded once for all suites.
    ///
    /// - Throws: ``ZooError`` with code `model.unsupported` when the model has no classifier, `model.probe-mismatch` when
    ///   the probe is that of another model, or with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    func classifier() async throws -> VideoClassifier {
        if let probe {
            return try VideoClassifier(backbone: try await encoder(), probe: probe.network)
        }
        do {
            return try await loadedClassifier.value()
        } catch let error as ZooError where error.code == .modelUnsupported {
            throw ZooError(
                error.code,
                error.message,
                remedy:
                    "give 'ami-zoo evaluate' a published probe with --probe, or a classifier that transformers saved",
                cause: error
            )
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

/// A network of a model, loaded when it is first needed.
private actor Loaded<Network: Sendable> {
    private let load: @Sendable () throws -> Network
    private var network: Network?

    init(_ load: @escaping @Sendable () throws -> Network) { self.load = load }

    func value() async throws -> Network {
        if let network { return network }
        let found = try await BlockingWork.run(whenCancelled: .abandoned) { [load] _ in try load() }
        network = found
        return found
    }
}
