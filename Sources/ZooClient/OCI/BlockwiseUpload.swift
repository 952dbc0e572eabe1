// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTransport

/// The upload of an archive of which the registry may have blocks, `registry/SPEC.md` section 8.1.
///
/// Nothing is kept between runs: the request that starts an upload also finds one that was interrupted.
struct BlockwiseUpload: Sendable {
    private let target: OCITarget
    private let file: OpenFile
    private let blob: Descriptor
    private let table: ContentDigest
    private let name: ModelName
    private let counter: Counter

    /// The number of ranges that are sent at the same time.
    private static let streams = 4
    /// The maximum size of the list of missing ranges: 200,000 blocks, every other one missing.
    private static let largestList = 16 << 20

    /// Prepares an upload.
    ///
    /// - Parameters:
    ///   - target: the registry.
    ///   - file: the archive.
    ///   - blob: its digest and size.
    ///   - table: the digest of its block table, which the registry has.
    ///   - name: the model.
    ///   - progress: receives the number of bytes that the registry has more after each step.
    init(
        to target: OCITarget,
        _ file: OpenFile,
        _ blob: Descriptor,
        _ table: ContentDigest,
        of name: ModelName,
        _ progress: @escaping @Sendable (Int) -> Void
    ) {
        self.target = target
        self.file = file
        self.blob = blob
        self.table = table
        self.name = name
        counter = Counter(report: progress)
    }

    /// What the registry answers to the start of an upload.
    private enum Start {
        case complete
        case incomplete(location: String, missing: [Range<Int>])
    }

    /// Sends what the registry does not have, and again what got lost.
    ///
    /// - Returns: the number of bytes that were sent.
    /// - Throws: the error of the registry after five failures without progress; `CancellationError`.
    func run() async throws -> Int {
        var (failures, least) = (0, Int.max)
        let patience = ContinuousClock.now + .seconds(60 + blob.size / (50 << 20))
        while true {
            do {
                guard case .incomplete(let location, let missing) = try await start() else {
                    break
                }
                let rest = missing.reduce(0) { $0 + $1.count }
                if rest < least { (failures, least) = (0, rest) }
                counter.reach(blob.size - rest)
                try await send(missing, to: location)
                try await target.repositories.finish(
                    location,
                    blob.digest,
                    of: name,
                    body: RequestBody([])
                )
                break
            } catch let error as ZooError where error.code == .uploadBusy {
                // The registry checks the archive, for this client or another one.
                guard ContinuousClock.now < patience else { throw error }
                try await Task.sleep(for: .seconds(1))
            } catch let error as ZooError where Self.isPassing(error) {
                failures += 1
                guard failures < OCITarget.attempts else { throw error }
                if error.code.category == .unreachable {
                    try await Task.sleep(for: .milliseconds(250 << failures))
                }
            }
        }
        counter.reach(blob.size)
        return counter.sent
    }

    /// Whether the list of missing ranges may be shorter, or another one, after an error.
    private static func isPassing(_ error: ZooError) -> Bool {
        error.code.category == .unreachable
            || [.uploadUnknown, .uploadRange, .uploadBlocks, .uploadIncomplete]
                .contains(error.code)
    }

    // MARK: Requests

    private func start() async throws -> Start {
        let query =
            "digest=\(OCIEndpoint.escaped(blob.digest.description))"
            + "&blocks=\(OCIEndpoint.escaped(table.description))"
        let response = try await target.repositories.send(
            .post,
            target.repositories.url(of: name, "blobs/uploads/?\(query)"),
            of: name,
            .push,
            limit: Self.largestList
        )
        try target.repositories.requireAccepted(response)
        if response.status == 201 { return .complete }
        guard let location = response.location else {
            throw target.repositories.unexpected("it named no location for the upload")
        }
        return .incomplete(location: location, missing: try ranges(in: response.body))
    }

    private func ranges(in body: [UInt8]) throws -> [Range<Int>] {
        let object = try JSONObject(
            try JSONValue(parsing: body, limits: .init(bytes: Self.largestList))
        )
        var ranges: [Range<Int>] = []
        var end = 0
        for item in try object.objects("missing", maximum: FormatLimits.blocks) {
            let start = try item.size("start")
            let next = try item.size("end")
            guard start >= end, next > start, next <= blob.size else {
                throw target.repositories.unexpected(
                    "it lists missing ranges that the archive does not have"
                )
            }
            ranges.append(start..<next)
            end = next
        }
        return ranges
    }

    /// Sends ranges, several at the same time; after a failure those that run are completed.
    private func send(_ ranges: [Range<Int>], to location: String) async throws {
        try await withThrowingTaskGroup(of: (any Error)?.self) { group in
            var (running, failure) = (0, (any Error)?.none)
            for range in ranges {
                if running == Self.streams {
                    failure = try await group.next() ?? nil
                    running -= 1
                }
                guard failure == nil else { break }
                running += 1
                group.addTask {
                    do {
                        _ = try await target.patch(location, file, range, of: name)
                        counter.add(range.count)
                        return nil
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        return error
                    }
                }
            }
            for try await result in group { failure = failure ?? result }
            if let failure { throw failure }
        }
    }

    /// Counts the bytes that the registry has; a block that must be sent again is not counted twice.
    private final class Counter: Sendable {
        private struct State {
            var have = 0
            var reported = 0
            var sent = 0
        }

        private let report: @Sendable (Int) -> Void
        private let state = Mutex(State())

        init(report: @escaping @Sendable (Int) -> Void) { self.report = report }

        var sent: Int { state.withLock { $0.sent } }

        /// The registry says how much it has.
        func reach(_ size: Int) { update { $0.have = size } }

        /// A range arrived.
        func add(_ count: Int) {
            update { state in
                state.have += count
                state.sent += count
            }
        }

        private func update(_ change: (inout State) -> Void) {
            let more = state.withLock { state in
                change(&state)
                defer { state.reported = max(state.reported, state.have) }
                return state.have - state.reported
            }
            if more > 0 { report(more) }
        }
    }
}
