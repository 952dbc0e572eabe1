// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization

/// One computation for all tasks that wait for its result.
///
/// A task that is cancelled stops waiting at once, and the others get the result. When no task waits any
/// more, the computation is cancelled.
final class SharedAnswer<Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Value, any Error>

    private struct State {
        var result: Result<Value, any Error>?
        var computation: Task<Void, Never>?
        /// The waiting tasks; nil for one that was cancelled before it began to wait.
        var waiters: [Int: Waiter?] = [:]
        var tickets = 0
    }

    private let state = Mutex(State())

    /// Starts the computation.
    init(_ compute: @escaping @Sendable () async throws -> Value) {
        let computation = Task {
            let result: Result<Value, any Error>
            do { result = .success(try await compute()) } catch { result = .failure(error) }
            finish(with: result)
        }
        state.withLock { $0.computation = computation }
    }

    /// Whether there is no answer, and never will be.
    var hasFailed: Bool {
        state.withLock { state in
            if case .failure? = state.result { true } else { false }
        }
    }

    /// The result.
    ///
    /// - Throws: the error of the computation; `CancellationError` when this task was cancelled, or
    ///   every task that waited before.
    var value: Value {
        get async throws {
            let ticket = state.withLock { state in
                state.tickets += 1
                return state.tickets
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { wait($0, ticket) }
            } onCancel: {
                leave(ticket)
            }
        }
    }

    private func wait(_ waiter: Waiter, _ ticket: Int) {
        let result: Result<Value, any Error>? = state.withLock { state in
            if state.waiters.removeValue(forKey: ticket) != nil {
                return .failure(CancellationError())
            }
            if state.result == nil { state.waiters[ticket] = waiter }
            return state.result
        }
        if let result { waiter.resume(with: result) }
    }

    private func leave(_ ticket: Int) {
        let (waiter, abandoned) = state.withLock { state -> (Waiter?, Task<Void, Never>?) in
            guard state.result == nil else { return (nil, nil) }
            guard let waiter = state.waiters.removeValue(forKey: ticket) ?? nil else {
                state.waiters[ticket] = .some(nil)
                return (nil, nil)
            }
            guard state.waiters.isEmpty else { return (waiter, nil) }
            // Nobody who comes later gets the result of a cancelled computation.
            state.result = .failure(CancellationError())
            return (waiter, state.computation)
        }
        abandoned?.cancel()
        waiter?.resume(throwing: CancellationError())
    }

    private func finish(with result: Result<Value, any Error>) {
        let waiters = state.withLock { state in
            if state.result == nil { state.result = result }
            defer { state.waiters = [:] }
            return state.waiters.values.compactMap(\.self)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}
