// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooCheckpoint
package import ZooCore
package import ZooFiles
internal import ZooTensor

/// Verifies bit for bit that a model folder holds the tensors of an upstream file.
///
/// It plans the conversion of the upstream file again, with the options in the release record,
/// and compares every tensor of the release with its upstream elements. It does not trust the
/// digests in the record, and memory use does not grow with the size of the files.
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
    /// - Throws: ``ZooError`` with code `convert.not-converted` if the record does not state how
    ///   the release was converted.
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
                "the record of '\(record.name)' does not state how it was converted",
                remedy: "give a folder that 'ami-zoo convert' or 'ami-zoo import' created"
            )
        }
        let object = try JSONObject(.object(members), at: "lineage.options")
        options = try ConversionOptions(object)
        dtype = try object.optionalString("dtype").flatMap { DType(rawValue: $0) }
    }

    /// The result of a comparison.
    package struct Outcome: Sendable {
        /// All differences.
        package let findings: [Finding]
        /// The number of compared tensors.
        package let tensors: Int
        /// The total size of the compared tensors, in bytes.
        package let bytes: Int
    }

    /// Compares every tensor.
    ///
    /// - Parameter cancellation: stops the comparison.
    /// - Returns: the result of the comparison.
    /// - Throws: ``ZooError`` with a `convert.*`, `checkpoint.*` or `io.*` code if the files cannot
    ///   be compared; `CancellationError`.
    package func compare(_ cancellation: Cancellation) throws -> Outcome {
        let plan = try source.plan(options)
        guard plan.family.rawValue == record.architecture.family else {
            let finding = Finding(
                .upstreamMismatch,
                path: RecordDraft.fileName,
                message: "the family of the upstream file is \(plan.family), that of the model is "
                    + "\(record.architecture.family)",
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

    /// The difference of a tensor; nil if every bit is equal.
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
        return isEqual ? nil : "has elements that differ from the upstream file"
    }
}
