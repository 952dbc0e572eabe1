// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// The part of a suite that takes time: numbers for each sample, computed in chunks.
///
/// The size of a chunk is part of the definition: the last bits of a result may depend on the samples that
/// are computed together.
protocol SampleStage: Sendable {
    /// All that determines the columns besides the model and the data, without the size of a chunk.
    var definition: JSONValue { get }

    /// What names its samples; nil if they are all that the suite measures on.
    var data: JSONValue? { get }

    /// The versions of the libraries that decode its samples, by name; empty if none does.
    var decoders: [String: String] { get }

    /// What identifies the published probe that it computes with; nil if it needs none.
    var probe: ContentDigest? { get }

    /// The numbers for each sample: the width of each column, by name.
    var columns: [String: Int] { get }

    /// The number of samples.
    var samples: Int { get }

    /// The number of samples that are computed together.
    var chunk: Int { get }

    /// Computes the columns of some samples.
    ///
    /// - Parameters:
    ///   - samples: which samples, those of one chunk.
    ///   - pool: the threads to compute on.
    /// - Returns: a tensor [samples, width] for each column.
    /// - Throws: ``ZooError``; `CancellationError`.
    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor]
}

extension SampleStage {
    var data: JSONValue? { nil }
    var decoders: [String: String] { [:] }
    var probe: ContentDigest? { nil }

    /// The number of chunks.
    var chunks: Int { (samples + chunk - 1) / chunk }

    /// The samples of a chunk.
    func samples(ofChunk index: Int) -> Range<Int> {
        index * chunk..<min((index + 1) * chunk, samples)
    }

    /// What names the columns: equal keys mean equal columns, up to the rounding of the kernels.
    ///
    /// Besides the arguments it names the decoders and the probe.
    ///
    /// - Parameters:
    ///   - model: the digest of the model.
    ///   - data: what names the samples that the suite measures on, ``EvaluationData/json(_:)``.
    /// - Returns: the digest of all of these.
    func key(_ model: ContentDigest, _ data: JSONValue) -> ContentDigest {
        var members: [String: JSONValue] = [
            "stage": definition,
            "chunk": .integer(chunk),
            "model": .string(model.description),
            "data": self.data ?? data,
        ]
        if !decoders.isEmpty { members["decoders"] = .object(decoders.mapValues(JSONValue.string)) }
        if let probe { members["probe"] = .string(probe.description) }
        return ContentDigest(of: JSONValue.object(members).canonicalBytes)
    }
}
