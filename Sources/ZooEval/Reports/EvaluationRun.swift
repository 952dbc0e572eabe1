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

    private let definition: SuiteDefinition
    private let suite: any EvaluationSuite
    private let model: EvaluatedModel
    private let data: EvaluationData
    private let stage: any SampleStage
    private let key: ContentDigest
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
        stage = try await suite.stage(of: model, on: data)
        guard stage.probe == model.probe?.digest else {
            throw ZooError(
                .probeUnused,
                "the suite '\(definition.name)' measures no classifier, and needs no probe",
                remedy:
                    "leave out --probe, or name only suites of the kind '\(ClassificationSuite.id.name)'"
            )
        }
        key = stage.key(model.digest, data.json(definition.data))
    }

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
        let folder = ChunkFolder(work: work, key: key)
        try await BlockingWork.run { [lease] in
            try lease.hold(folder.folder, creating: true, $0)
        }
        let wanted = (0..<stage.chunks).filter(shard.contains)
        let total = wanted.reduce(0) { $0 + stage.samples(ofChunk: $1).count }
        var (completed, computed) = (0, 0)
        for index in wanted {
            try Task.checkCancellation()
            let samples = stage.samples(ofChunk: index)
            let isStored = try await BlockingWork.run { [stage] _ in
                folder.chunk(index, of: stage) != nil
            }
            if !isStored {
                let columns = try await stage.compute(samples, on: pool)
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
            decoders: stage.decoders,
            probe: stage.probe,
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
        let folders = folders.map { ChunkFolder(work: $0, key: key) }
        for folder in folders { try lease.hold(folder.folder, creating: false, cancellation) }
        var chunks: [ChunkFolder.Chunk] = []
        var missing: [Int] = []
        for index in 0..<stage.chunks {
            try cancellation.check()
            let found = folders.compactMap { $0.chunk(index, of: stage) }
            guard let first = found.first else {
                missing.append(index)
                continue
            }
            guard found.allSatisfy({ $0.kernels != first.kernels || $0.digest == first.digest })
            else {
                throw ZooError(
                    .shardConflict,
                    "two folders hold different results for chunk \(index) of '\(definition.name)', both of "
                        + "the kernels '\(first.kernels)'",
                    remedy:
                        "compute the chunk again: one of the machines is faulty, or a result was changed"
                )
            }
            chunks.append(first)
        }
        guard missing.isEmpty else {
            let list = missing.prefix(8).map(String.init).joined(separator: ", ")
            throw ZooError(
                .shardMissing,
                "\(missing.count) of \(stage.chunks) chunks of '\(definition.name)' are missing: \(list)"
                    + (missing.count > 8 ? ", …" : ""),
                remedy:
                    "run the shards that did not finish again; chunk N belongs to shard N mod COUNT + 1"
            )
        }
        return chunks
    }
}
