// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The digests of both sides of a conversion, computed only from the upstream files.
struct ConversionProof: Sendable {
    /// The facts about each component of the release.
    let components: [String: RecordDraft.ComponentFacts]
    /// The fingerprint of the release's tensors.
    let fingerprint: ContentDigest
    /// The fingerprint of the converted upstream tensors, with their upstream names.
    let sourceFingerprint: ContentDigest
    /// The dropped upstream tensors of the converted groups, which no model reads.
    let dropped: [String]
    /// The dtype, as transformers names it.
    let transformersDType: String

    /// Reads every tensor of the plan, and checks the checksums of the upstream files.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.zip-checksum`, `convert.*` or `io.*`, or
    ///   `CancellationError`.
    init(
        _ plan: ConversionPlan,
        _ sources: [ConversionPlan.Source: UpstreamTensors],
        _ dtype: DType?,
        _ cancellation: Cancellation
    ) throws {
        var components: [String: RecordDraft.ComponentFacts] = [:]
        var all: [TensorFingerprint.Row] = []
        var upstreamRows: [TensorFingerprint.Row] = []
        var dropped: [String] = []
        for (source, upstream) in sources.sorted(by: { $0.key.order < $1.key.order }) {
            let names = plan.upstreamNames(source, upstream)
            try upstream.checkpoint.requireChecksums(of: names, cancellation)
            upstreamRows +=
                try TensorDigests(of: upstream.checkpoint, names: names, cancellation).rows
        }
        let known = Dictionary(
            upstreamRows.map { ($0.name, $0.digest) },
            uniquingKeysWith: { first, _ in first }
        )
        for part in plan.parts {
            guard let group = sources[part.source]?.groups[part.group] else { continue }
            dropped += part.dropped.compactMap { group.tensors[$0]?.name }
            var rows: [TensorFingerprint.Row] = []
            for (tensor, upstream) in zip(
                try plan.tensors(of: part, sources, as: dtype),
                part.rules.flatMap(\.soleUpstream)
            ) {
                // A tensor that is only renamed keeps its digest.
                let name = upstream.flatMap { group.tensors[$0]?.name }
                let same = tensor.source == tensor.target ? name.flatMap { known[$0] } : nil
                let digest = if let same { same } else { try tensor.digest(cancellation) }
                rows.append(
                    TensorFingerprint.Row(
                        name: tensor.name,
                        dtype: tensor.target,
                        shape: tensor.shape,
                        digest: digest
                    )
                )
            }
            components[part.component] = RecordDraft.ComponentFacts(
                tensors: rows.count,
                parameters: rows.reduce(0) { $0 + $1.shape.elementCount },
                dtypes: Set(rows.map(\.dtype.rawValue)).sorted(),
                fingerprint: TensorFingerprint.digest(of: rows)
            )
            all += rows
        }
        self.components = components
        self.dropped = dropped.sorted()
        fingerprint = TensorFingerprint.digest(of: all)
        sourceFingerprint = TensorFingerprint.digest(of: upstreamRows)
        let names: [DType: String] = [.f32: "float32", .f16: "float16", .bf16: "bfloat16"]
        transformersDType = all.first.flatMap { names[$0.dtype] } ?? "float32"
    }
}

extension ConversionPlan {
    /// The full names of the tensors that are converted from a file, in order.
    func upstreamNames(_ source: Source, _ upstream: UpstreamTensors) -> [String] {
        parts.filter { $0.source == source }.flatMap { part in
            part.rules.flatMap(\.upstream)
                .compactMap { upstream.groups[part.group]?.tensors[$0.name]?.name }
        }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension TensorRule {
    /// For each released tensor, the upstream tensor that equals it, or nil for a part or a stack.
    fileprivate var soleUpstream: [String?] {
        guard upstream.count == 1, released.count == 1, upstream[0].shape == released[0].shape
        else { return released.map { _ in nil } }
        return [upstream[0].name]
    }
}

extension ConversionPlan.Source {
    fileprivate var order: Int { self == .main ? 0 : 1 }
}
