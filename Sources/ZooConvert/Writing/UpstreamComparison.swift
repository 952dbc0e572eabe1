// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooCheckpoint
package import ZooCore
package import ZooFiles
internal import ZooTensor

/// Proves that a model folder holds the tensors of an upstream file, bit for bit.
///
/// The upstream file is planned as it was converted, with the options that the release record
/// states, and every tensor of the release is compared with the upstream elements that make it.
/// Nothing that the record says about digests is trusted, and memory stays small.
package struct UpstreamComparison: Sendable {
    private let folder: String
    private let record: ReleaseRecord
    private let source: ConversionSource
    private let options: ConversionOptions
    private let dtype: DType?

    /// Prepares a comparison.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - record: its release record.
    ///   - source: the upstream files.
    /// - Throws: ``ZooError`` with code `convert.not-converted` when the record does not say how the
    ///   release was converted.
    package init(
        folder: String,
        record: ReleaseRecord,
        source: ConversionSource
    ) throws(ZooError) {
        self.folder = folder
        self.record = record
        self.source = source
        guard record.lineage.kind == .converted,
            case .object(let members)? = record.lineage.details["options"]
        else {
            throw ZooError(
                .notConverted,
                "the record of '\(record.name)' does not say how it was converted",
                remedy: "only releases that 'ami-zoo convert' or 'import' made can be compared"
            )
        }
        let object = try JSONObject(.object(members), at: "lineage.options")
        options = try ConversionOptions(object)
        dtype = try object.optionalString("dtype").flatMap { DType(rawValue: $0) }
    }

    /// What a comparison found.
    package struct Outcome: Sendable {
        /// Everything that differs.
        package let findings: [Finding]
        /// How many tensors were compared.
        package let tensors: Int
        /// Their bytes.
        package let bytes: Int
    }

    /// Compares every tensor.
    ///
    /// - Parameter cancellation: ends the comparison.
    /// - Returns: what differs.
    /// - Throws: ``ZooError`` with a `convert.*`, `checkpoint.*` or `io.*` code when the files
    ///   cannot be compared at all; `CancellationError`.
    package func compare(_ cancellation: Cancellation) throws -> Outcome {
        let plan = try source.plan(options)
        guard plan.family.rawValue == record.architecture.family else {
            let finding = Finding(
                .upstreamMismatch,
                path: RecordDraft.fileName,
                message: "the upstream file is a \(plan.family) model, and this is a "
                    + "\(record.architecture.family) model",
                remedy: "give the file that this model was converted from"
            )
            return Outcome(findings: [finding], tensors: 0, bytes: 0)
        }
        for (kind, upstream) in source.tensors {
            let names = plan.upstreamNames(kind, upstream)
            try upstream.checkpoint.requireChecksums(of: names, cancellation)
        }
        var findings: [Finding] = []
        var (tensors, bytes) = (0, 0)
        for file in Set(plan.parts.map(\.file)).sorted() {
            let release = try Checkpoint(opening: try path(of: file))
            var rest = Set(release.tensors.map(\.name))
            for part in plan.parts where part.file == file {
                for tensor in try plan.tensors(of: part, source.tensors, as: dtype) {
                    rest.remove(tensor.name)
                    let found = release.view(tensor.name)
                    if let problem = try difference(tensor, found, cancellation) {
                        findings.append(Self.finding(problem, tensor.name, file))
                    }
                    tensors += 1
                    bytes += tensor.shape.byteCount(of: tensor.target) ?? 0
                }
            }
            findings += rest.sorted().map { Self.finding("is not in the upstream file", $0, file) }
            try release.requireIntact()
        }
        for upstream in source.tensors.values { try upstream.checkpoint.requireIntact() }
        return Outcome(findings: findings, tensors: tensors, bytes: bytes)
    }

    private func path(of file: String) throws(ZooError) -> String {
        let single = "\(folder)/\(file).safetensors"
        if try FileSystem.status(single) != nil { return single }
        return "\(single).index.json"
    }

    private static func finding(_ problem: String, _ tensor: String, _ file: String) -> Finding {
        Finding(
            .upstreamMismatch,
            path: "\(file).safetensors",
            message: "'\(tensor)' \(problem)",
            remedy: "do not use this release as that upstream model; convert the file again"
        )
    }

    private static func areEqual(_ left: RawSpan, _ right: RawSpan) -> Bool {
        unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let a = left.baseAddress, let b = right.baseAddress else {
                    return left.count == right.count
                }
                return unsafe left.count == right.count && memcmp(a, b, left.count) == 0
            }
        }
    }

    /// What is different about a tensor; nil when every bit is the same.
    private func difference(
        _ expected: ReleasedTensor,
        _ found: TensorView?,
        _ cancellation: Cancellation
    ) throws -> String? {
        guard let found else { return "is missing" }
        guard found.dtype == expected.target, found.shape == expected.shape else {
            return "is \(found.dtype.rawValue) \(found.shape) and must be "
                + "\(expected.target.rawValue) \(expected.shape)"
        }
        let width = max(found.dtype.bitWidth / 8, 1)
        var position = 0
        var isEqual = true
        try expected.forEachChunk(cancellation) { span in
            let elements = position / width..<(position + span.byteCount) / width
            var offset = 0
            try found.forEachChunk(of: elements, cancellation) { other in
                let part = span.extracting(offset..<offset + other.byteCount)
                isEqual = isEqual && Self.areEqual(part, other)
                offset += other.byteCount
            }
            position += span.byteCount
        }
        return isEqual ? nil : "has other elements than the upstream file"
    }
}
