// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore
package import ZooFiles
package import ZooTensor

/// The metadata of a converted release that its tensors do not determine.
package struct ConversionIdentity: Sendable {
    /// The model's name.
    package var name: ModelName
    /// The version.
    package var version: SemanticVersion
    /// The creation time; given by the caller, because the bytes of a release depend on it.
    package var created: Timestamp
    /// Further members of the release record: summary, authors, licence, homepage, evaluation.
    package var details: [String: JSONValue]
    /// The origin of the upstream file: members of the record's `lineage.upstream`.
    package var upstream: [String: JSONValue]
    /// The model card; nil for the default card.
    package var card: String?

    /// Creates an identity with only the required members.
    package init(name: ModelName, version: SemanticVersion, created: Timestamp) {
        self.name = name
        self.version = version
        self.created = created
        details = [:]
        upstream = [:]
    }
}

/// The result of a conversion.
package struct ConversionReport: Sendable {
    /// The family.
    package let family: FamilyID
    /// The variant in the family.
    package let variant: String
    /// The files that were written.
    package let files: [RecordDraft.File]
    /// The upstream group that each component was converted from.
    package let taken: [String: String]
    /// The facts about each component, including its fingerprint.
    package let components: [String: RecordDraft.ComponentFacts]
    /// The fingerprint of the weights of the release, over all components.
    package let fingerprint: ContentDigest
    /// The fingerprint of the upstream tensors that were taken, under their upstream names.
    package let sourceFingerprint: ContentDigest
    /// The names of the dropped upstream tensors.
    package let dropped: [String]
    /// The largest change of an element, if the dtype was converted.
    package let largestChange: Double?
    /// The release record.
    package let record: ReleaseRecord
}

/// Writes a release folder from an upstream checkpoint.
///
/// Memory use does not grow with the size of the checkpoint, and the folder is created atomically.
/// The same input and the same options give the same bytes on any machine.
package struct Converter: Sendable {
    /// The version of the converter that release records state.
    package static let version = "ami-zoo \(programVersion)"
    private static let programVersion = "0.1.0"
    /// The maximum size of a weights file in bytes; larger sets are sharded as in transformers.
    package static let shardSize = 5_000_000_000

    let plan: ConversionPlan
    let sources: [ConversionPlan.Source: UpstreamTensors]
    let inputs: [MappedFile]
    let options: ConversionOptions
    let identity: ConversionIdentity
    let dtype: DType?
    let shardSize: Int

    /// Creates a converter.
    ///
    /// - Parameters:
    ///   - plan: the plan, which fits `sources`.
    ///   - sources: the upstream files.
    ///   - inputs: the files that were opened for them, whose digests the provenance states; empty to write none.
    ///   - options: the options of the user, which the record keeps for reproduction.
    ///   - identity: name, version and other metadata.
    ///   - dtype: the dtype of floating-point tensors: F32, BF16 or F16; nil keeps it.
    ///   - shardSize: the maximum size of a weights file, in bytes.
    package init(
        plan: ConversionPlan,
        sources: [ConversionPlan.Source: UpstreamTensors],
        inputs: [MappedFile] = [],
        options: ConversionOptions,
        identity: ConversionIdentity,
        dtype: DType?,
        shardSize: Int = Converter.shardSize
    ) {
        self.plan = plan
        self.sources = sources
        self.inputs = inputs
        self.options = options
        self.identity = identity
        self.dtype = dtype
        self.shardSize = shardSize
    }

    /// Writes the release folder.
    ///
    /// - Parameter folder: the folder to create; it must be empty or not exist.
    /// - Returns: the result of the conversion.
    /// - Throws: ``ZooError`` with a `convert.*`, `checkpoint.*` or `io.*` code, or
    ///   `CancellationError`; no files remain in this case.
    package func write(to folder: String) async throws -> ConversionReport {
        let folder = FileSystem.absolute(folder)
        try Self.requireFree(folder)
        let parent = FileSystem.parent(of: folder)
        try FileSystem.createFolder(parent)
        let staging = "\(parent)/.\(FileSystem.uniqueName()).partial"
        try FileSystem.createFolder(staging)
        do {
            let report = try await fill(staging)
            try await BlockingWork.run { _ in
                try FileSystem.synchronizeFolder(staging)
                if try FileSystem.status(folder) != nil { try FileSystem.remove(folder) }
                try FileSystem.rename(staging, to: folder)
                try FileSystem.synchronizeFolder(parent)
            }
            return report
        } catch {
            // Report the error that stopped the conversion, not an error of the cleanup.
            try? FileSystem.remove(staging)
            throw error
        }
    }

    private static func requireFree(_ folder: String) throws(ZooError) {
        guard let status = try FileSystem.status(folder) else { return }
        guard status.kind == .folder, try FileSystem.names(in: folder).isEmpty else {
            throw ZooError(
                .conversionDestinationTaken,
                "'\(folder)' already exists",
                remedy: "choose another folder, or remove the existing one"
            )
        }
    }

    private func fill(_ folder: String) async throws -> ConversionReport {
        // The proof is computed on one thread while another one writes the weights.
        async let proof = BlockingWork.run { try ConversionProof(plan, sources, dtype, $0) }
        async let weights = BlockingWork.run { try writeWeights(to: folder, $0) }
        async let digests = BlockingWork.run { try inputDigests($0) }
        let (written, proven, read) = (try await weights, try await proof, try await digests)
        return try await BlockingWork.run { _ in
            var files = written.files
            files.append(contentsOf: try writeDocuments(to: folder, proven))
            let report = try finish(folder, files, proven, largestChange: written.largestChange)
            try writeProvenance(to: folder, report, read)
            return report
        }
    }

    // MARK: Provenance

    private func inputDigests(_ cancellation: Cancellation) throws -> [ContentDigest] {
        try inputs.map { file in
            var hasher = ContentDigest.Hasher()
            for start in stride(from: 0, to: file.byteCount, by: 1 << 20) {
                try cancellation.check()
                hasher.update(try file.bytes(start..<min(start + 1 << 20, file.byteCount)))
            }
            return hasher.finish()
        }
    }

    /// States what was read and written; without times, so that the same input gives the same bytes.
    private func writeProvenance(
        to folder: String,
        _ report: ConversionReport,
        _ digests: [ContentDigest]
    ) throws {
        guard !inputs.isEmpty else { return }
        let sources = zip(inputs, digests).map { file, digest in
            // The published address is that of the published bytes only.
            let isPublished = identity.upstream["sha256"] == .string(digest.hex)
            let uri: String? =
                if isPublished, case .string(let url)? = identity.upstream["url"] { url } else {
                    nil
                }
            return ConversionProvenance.Source(
                name: FileSystem.name(of: file.path),
                uri: uri,
                digest: digest
            )
        }
        var parameters = options.json
        parameters["name"] = .string(identity.name.description)
        parameters["version"] = .string(identity.version.description)
        parameters["family"] = .string(plan.family.rawValue)
        parameters["variant"] = .string(plan.variant)
        if let dtype { parameters["dtype"] = .string(dtype.rawValue) }
        let provenance = try ConversionProvenance(
            of: report.files.map { ($0.path.text, $0.digest) },
            from: sources,
            parameters,
            program: Self.programVersion
        )
        try FileSystem.writeAtomically(
            "\(folder)/\(ConversionProvenance.fileName)",
            provenance.statement
        )
    }

    // MARK: Weights

    private struct Weights: Sendable {
        var files: [RecordDraft.File] = []
        var largestChange = 0.0
    }

    private func writeWeights(
        to folder: String,
        _ cancellation: Cancellation
    ) throws -> Weights {
        var weights = Weights()
        for file in Set(plan.parts.map(\.file)).sorted() {
            var tensors: [ReleasedTensor] = []
            for part in plan.parts where part.file == file {
                tensors += try plan.tensors(of: part, sources, as: dtype)
            }
            let shards = Self.shards(tensors, size: shardSize)
            var places: [String: JSONValue] = [:]
            for (index, shard) in shards.enumerated() {
                let name =
                    shards.count == 1
                    ? "\(file).safetensors"
                    : "\(file)-\(Self.padded(index + 1))-of-\(Self.padded(shards.count)).safetensors"
                for tensor in shard { places[tensor.name] = .string(name) }
                let written = try write(
                    shard,
                    to: "\(folder)/\(name)",
                    named: name,
                    cancellation
                )
                weights.files.append(written.file)
                weights.largestChange = max(weights.largestChange, written.largestChange)
            }
            guard shards.count > 1 else { continue }
            let size = tensors.reduce(0) { $0 + ($1.shape.byteCount(of: $1.target) ?? 0) }
            let index: JSONValue = [
                "metadata": ["total_size": .integer(size)], "weight_map": .object(places),
            ]
            weights.files.append(
                try writeText(index.prettyText, to: folder, "\(file).safetensors.index.json")
            )
        }
        return weights
    }

    private func write(
        _ tensors: [ReleasedTensor],
        to path: String,
        named name: String,
        _ cancellation: Cancellation
    ) throws -> (file: RecordDraft.File, largestChange: Double) {
        let change = LargestChange()
        let entries = tensors.map { tensor in
            SafetensorsWriter.Entry(
                name: tensor.name,
                dtype: tensor.target,
                shape: tensor.shape
            ) { body in
                change.value = max(change.value, try tensor.forEachChunk(cancellation, body))
            }
        }
        // transformers rejects files without this metadata.
        let written = try SafetensorsWriter.write(entries, metadata: ["format": "pt"], to: path)
        let file = RecordDraft.File(
            path: try ReleasePath(parsing: name),
            size: written.size,
            digest: written.digest,
            holdsTensors: true
        )
        return (file, change.value)
    }

    /// State that the closures of one file share; they run one after the other.
    private final class LargestChange {
        var value = 0.0
    }

    /// Distributes the tensors over files, in the order of their names.
    private static func shards(_ tensors: [ReleasedTensor], size: Int) -> [[ReleasedTensor]] {
        var shards: [[ReleasedTensor]] = [[]]
        var filled = 0
        for tensor in tensors {
            let bytes = tensor.shape.byteCount(of: tensor.target) ?? 0
            if filled > 0, filled + bytes > size {
                shards.append([])
                filled = 0
            }
            shards[shards.count - 1].append(tensor)
            filled += bytes
        }
        return shards
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    // MARK: Documents

    private func writeText(
        _ text: String,
        to folder: String,
        _ name: String
    ) throws -> RecordDraft.File {
        let bytes = Array(text.utf8)
        try FileSystem.writeAtomically("\(folder)/\(name)", bytes)
        return RecordDraft.File(
            path: try ReleasePath(parsing: name),
            size: bytes.count,
            digest: ContentDigest(of: bytes),
            holdsTensors: false
        )
    }

    private func writeDocuments(
        to folder: String,
        _ proof: ConversionProof
    ) throws -> [RecordDraft.File] {
        var configuration = plan.configuration
        let isStated = configuration["dtype"] != nil || configuration["torch_dtype"] != nil
        if configuration["architectures"] != nil, dtype != nil || !isStated {
            configuration["torch_dtype"] = nil
            configuration["dtype"] = .string(proof.transformersDType)
        }
        var files = [
            try writeText(JSONValue.object(configuration).prettyText, to: folder, "config.json")
        ]
        if let preprocessor = plan.preprocessor {
            files.append(
                try writeText(
                    JSONValue.object(preprocessor).prettyText,
                    to: folder,
                    "preprocessor_config.json"
                )
            )
        }
        let map = ConversionMap(plan, sources).json.prettyText
        files.append(try writeText(map, to: folder, ConversionMap.fileName))
        let card = identity.card ?? ConversionCard(self, proof).text
        files.append(try writeText(card, to: folder, "README.md"))
        return files
    }

    private func finish(
        _ folder: String,
        _ files: [RecordDraft.File],
        _ proof: ConversionProof,
        largestChange: Double
    ) throws -> ConversionReport {
        let description = try JSONObject(.object(description(files, proof)), at: "")
        let draft = RecordDraft(
            description: description,
            configuration: .object(plan.configuration),
            files: files,
            components: proof.components
        )
        let record = try ReleaseRecord(canonical: try draft.document().canonicalBytes)
        try FileSystem.writeAtomically(
            "\(folder)/\(RecordDraft.fileName)",
            record.canonicalBytes
        )
        return ConversionReport(
            family: plan.family,
            variant: plan.variant,
            files: files,
            taken: Dictionary(uniqueKeysWithValues: plan.parts.map { ($0.component, $0.group) }),
            components: proof.components,
            fingerprint: proof.fingerprint,
            sourceFingerprint: proof.sourceFingerprint,
            dropped: proof.dropped,
            largestChange: dtype == nil ? nil : largestChange,
            record: record
        )
    }

    private func description(
        _ files: [RecordDraft.File],
        _ proof: ConversionProof
    ) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "summary": .string("\(plan.family) \(plan.variant), converted from upstream weights."),
            "authors": ["unknown"], "licence": "unknown", "evaluation": [],
        ]
        members.merge(identity.details) { _, detail in detail }
        members["name"] = .string(identity.name.description)
        members["version"] = .string(identity.version.description)
        members["created"] = .string(identity.created.description)
        members["architecture"] = [
            "family": .string(plan.family.rawValue), "variant": .string(plan.variant),
        ]
        members["inputs"] = plan.inputs
        members["components"] = .array(
            plan.parts.map { part in
                [
                    "name": .string(part.component), "prefix": .string(part.prefix),
                    "files": .array(
                        files.filter { file in
                            file.path.text.hasPrefix("\(part.file).")
                                || file.path.text.hasPrefix("\(part.file)-")
                        }
                        .filter { $0.path.text.contains(".safetensors") }
                        .map { .string($0.path.text) }
                    ),
                ]
            }
        )
        members["lineage"] = .object(lineage(proof))
        return members
    }

    private func lineage(_ proof: ConversionProof) -> [String: JSONValue] {
        var options = options.json
        if let dtype { options["dtype"] = .string(dtype.rawValue) }
        var upstream = identity.upstream
        upstream["fingerprint"] = .string(proof.sourceFingerprint.description)
        upstream["taken"] = .object(
            Dictionary(
                uniqueKeysWithValues: plan.parts.map { ($0.component, .string($0.group)) }
            )
        )
        var lineage: [String: JSONValue] = [
            "kind": "converted", "converter": .string(Self.version), "options": .object(options),
            "upstream": .object(upstream), "fingerprint": .string(proof.fingerprint.description),
        ]
        if !proof.dropped.isEmpty {
            lineage["dropped"] = .array(proof.dropped.map { .string($0) })
        }
        return lineage
    }
}
