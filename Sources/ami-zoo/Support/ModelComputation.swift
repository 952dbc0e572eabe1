// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooInference
internal import ZooTensor

/// Options for commands that compute.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads to compute on (default: one per processor).")
    var threads: Int?

    func validate() throws {
        let range = ComputePool.threadRange
        if let threads, !range.contains(threads) {
            throw ValidationError(
                "--threads must be \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    /// The threads to compute on; `profile` records where they spend their time.
    func pool(profile: Profile? = nil) -> ComputePool {
        guard threads != nil || profile != nil else { return .shared }
        let wanted = threads ?? ComputePool.availableProcessors
        let pool = ComputePool(threads: wanted, profile: profile)
        if pool.threads < wanted {
            Console.note("the system grants \(pool.threads) of \(wanted) threads")
        }
        return pool
    }
}

/// What the commands that compute with a model have in common: the model, the threads, the progress and the
/// time.
struct ModelComputation: Sendable {
    /// Where the model is.
    let location: ModelLocation
    /// The threads to compute on.
    let pool: ComputePool
    /// The progress line.
    let progress: ComputeProgress
    private let start = ContinuousClock.now

    /// The time since the start.
    var time: Duration { ContinuousClock.now - start }

    /// Starts a computation.
    ///
    /// - Parameters:
    ///   - model: an installed model or a model folder.
    ///   - compute: the threads.
    ///   - output: how to show progress.
    ///   - stage: the name of the computation in the progress.
    ///   - profile: records where the threads spend their time.
    /// - Throws: as ``ModelLocation/init(_:in:)``.
    init(
        _ model: String,
        _ compute: ComputeOptions,
        _ output: OutputOptions,
        stage: String,
        profile: Profile? = nil
    ) throws(ZooError) {
        location = try ModelLocation(model, in: Surroundings().store)
        pool = compute.pool(profile: profile)
        progress = ComputeProgress(output, stage: stage)
    }

    /// Checks the path of a picture of vectors; nil for no picture.
    func picture(_ path: String?, of inputs: [String]) throws(ZooError) -> OutputFile? {
        guard let path else { return nil }
        return try OutputFile(path, endings: [".svg"], apartFrom: inputs + [location.folder])
    }

    /// Runs `work` until it ends or a signal cancels it, and ends the progress line.
    func run<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        defer { progress.close() }
        return try await Interruption.cancelling(work)
    }

    /// Writes a result, after a check that the weights it was computed from were those of the file.
    func write(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await BlockingWork.run { _ in
            try MappedFile.requireAllIntact()
            try work()
        }
    }
}
