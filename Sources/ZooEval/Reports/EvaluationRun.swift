// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
package import ZooTensor

/// Runs a suite: computes the chunks of a shard, or reports the numbers of all.
package struct EvaluationRun: Sendable {
    /// How far a run is.
    package struct Progress: Sendable {
        /// The samples of the shard that are computed, by this run or before.
        package let completed: Int
        /// The samples of the shard.
        package let total: Int
        /// The samples that this run computed.
        package let computed: Int
    }

    /// A stage, whose chunks follow those of the stages before.
    private struct Part: Sendable {
        let stage: any SampleStage
        let key: ContentDigest
    }

    private let definition: SuiteDefinition
    private let suite: any EvaluationSuite
    private let model: EvaluatedModel
    private let data: EvaluationData
    private let parts: [Part]
    private let lease = ChunkLease()

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - definition: what is measured.
    ///   - model: the model.
    ///   - data: the data set that the definition names.
    /// - Throws: ``ZooError`` with code `evaluation.probe-unused` when the model comes with a probe that the suite does not
    ///   read; otherwise an `evaluation.*`, `format.*`, `model.*` or `checkpoint.*` code.
    package init(
        _ definition: SuiteDefinition,
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws {
        try data.require(definition.data)
        self.definition = definition
        self.model = model
        self.data = data
        suite = try SuiteList.suite(for: definition)
        let names = data.json(definition.data)
        parts = try await suite.stages(of: model, on: data).map {
            Part(stage: $0, key: $0.key(model.digest, names))
        }
        precondition(!parts.isEmpty, "a suite computes something")
        guard parts.allSatisfy({ $0.stage.probe == model.probe?.digest }) else {
            throw ZooError(
                .probeUnused,
                "the suite '\(definition.name)' measures no classifier, and needs no probe",
                remedy:
                    "leave out --probe, or name only suites of the kind '\(ClassificationSuite.id.name)'"
            )
        }
    }

    /// The stage of a chunk, counted over all stages, and its place in the stage.
    private func place(ofChunk index: Int) -> (part: Part, index: Int) {
        var rest = index
        for part in parts {
            if rest < part.stage.chunks { return (part, rest) }
            rest -= part.stage.chunks
        }
        preconditionFailure("there is no chunk \(index)")
    }

    private var chunks: Int { parts.reduce(0) { $0 + $1.stage.chunks } }

    /// Computes the chunks of a shard that are not stored yet.
    ///
    /// Chunks that are complete survive whatever stops the run.
    ///
    /// - Parameters:
    ///   - shard: which chunks.
    ///   - work: the folder for the stored chunks.
    ///   - pool: the threads to compute on.
    ///   - progress: called after each chunk.
    /// - Throws: ``ZooError`` with an `evaluation.*`, `media.*`, `model.*` or `io.*` code; `CancellationError`.
    package func compute(
        _ shard: Shard = .whole,
        in work: String,
        on pool: ComputePool = .shared,
        progress: (@Sendable (Progress) -> Void)? = nil
    ) async throws {
        let folders = parts.map { ChunkFolder(work: work, key: $0.key) }
        try await BlockingWork.run { [lease] in
            for folder in folders { try lease.hold(folder.folder, creating: true, $0) }
        }
        let wanted = (0..<chunks).filter(shard.contains).map(place)
        let total = wanted.reduce(0) { $0 + $1.part.stage.samples(ofChunk: $1.index).count }
        var (completed, computed) = (0, 0)
        for (part, index) in wanted {
            try Task.checkCancellation()
            let folder = ChunkFolder(work: work, key: part.key)
            let samples = part.stage.samples(ofChunk: index)
            let isStored = try await BlockingWork.run { _ in
                folder.chunk(index, of: part.stage) != nil
            }
            if !isStored {
                let columns = try await part.stage.compute(samples, on: pool)
                _ = try await BlockingWork.run { _ in try folder.store(columns, as: index) }
                computed += samples.count
            }
            completed += samples.count
            progress?(Progress(completed: completed, total: total, computed: computed))
        }
    }

    /// Reports the numbers of all stored chunks.
    ///
    /// - Parameters:
    ///   - folders: the folders that hold chunks; a chunk may be in several.
    ///   - pool: the threads to compute on.
    /// - Returns: the report.
    /// - Throws: ``ZooError`` with code `evaluation.shard-missing` when a chunk is in none,
    ///   `evaluation.shard-conflict` when two folders hold different columns computed by the same kernels, or
    ///   `evaluation.data-unsuitable`; `CancellationError`.
    package func report(
        from folders: [String],
        on pool: ComputePool = .shared
    ) async throws -> EvaluationReport {
        let chunks = try await BlockingWork.run { cancellation in
            try assemble(folders, cancellation)
        }
        let table = SampleTable(chunks)
        let measurements = try await pool.run { [suite, data] session in
            try suite.measure(table, on: data, in: session)
        }
        precondition(measurements.map(\.metric) == suite.metrics, "a suite measures its metrics")
        guard measurements.allSatisfy(\.value.isFinite) else {
            throw ZooError(
                .evaluationNotFinite,
                "a number of '\(definition.name)' is not finite",
                remedy: "check that the data have more than one sample of each kind"
            )
        }
        return EvaluationReport(
            model: model.digest,
            definition: definition,
            data: data.json(definition.data),
            measurements: measurements,
            kernels: Set(chunks.map(\.kernels) + (suite.fits ? [KernelPath.fastest.name] : []))
                .sorted(),
            decoders: parts.reduce(into: [:]) { all, part in
                all.merge(part.stage.decoders) { first, _ in first }
            },
            probe: model.probe?.digest,
            exhibits: try await pool.run { [suite, data] session in
                try suite.exhibits(measurements, table, on: data, in: session)
            }
        )
    }

    /// The chunks of all samples, each of which is in a folder.
    private func assemble(
        _ folders: [String],
        _ cancellation: Cancellation
    ) throws -> [ChunkFolder.Chunk] {
        for part in parts {
            for work in folders {
                let folder = ChunkFolder(work: work, key: part.key)
                try lease.hold(folder.folder, creating: false, cancellation)
            }
        }
        var found: [ChunkFolder.Chunk] = []
        var missing: [Int] = []
        for index in 0..<chunks {
            try cancellation.check()
            let (part, place) = place(ofChunk: index)
            let copies = folders.compactMap {
                ChunkFolder(work: $0, key: part.key).chunk(place, of: part.stage)
            }
            guard let first = copies.first else {
                missing.append(index)
                continue
            }
            guard copies.allSatisfy({ $0.kernels != first.kernels || $0.digest == first.digest })
            else {
                throw ZooError(
                    .shardConflict,
                    "two folders hold different results for chunk \(index) of '\(definition.name)', both of "
                        + "the kernels '\(first.kernels)'",
                    remedy:
                        "compute the chunk again: one of the machines is faulty, or a result was changed"
                )
            }
            found.append(first)
        }
        guard missing.isEmpty else {
            let list = missing.prefix(8).map(String.init).joined(separator: ", ")
            throw ZooError(
                .shardMissing,
                "\(missing.count) of \(chunks) chunks of '\(definition.name)' are missing: \(list)"
                    + (missing.count > 8 ? ", …" : ""),
                remedy:
                    "run the shards that did not finish again; chunk N belongs to shard N mod COUNT + 1"
            )
        }
        return found
    }
}
