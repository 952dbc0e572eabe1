// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// A lock with a condition variable that protects a value of type `State`.
///
/// The standard library's `Mutex` has no condition variable, and compute threads must sleep
/// between tasks.
@safe
final class Monitor<State>: @unchecked Sendable {
    // Sendable because `state` is only accessed while `lock` is held.
    @unsafe private let lock: UnsafeMutablePointer<pthread_mutex_t>
    @unsafe private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    init(_ state: State) {
        self.state = state
        unsafe lock = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        // With default attributes neither call can fail on Linux.
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(lock)
        unsafe condition.deallocate()
        unsafe lock.deallocate()
    }

    /// Changes the state and wakes all waiting threads.
    func update<Result>(_ change: (inout State) -> Result) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(lock)
        }
        return change(&state)
    }

    /// Sleeps until `attempt` returns a value; it is called again after every change.
    func wait<Result>(for attempt: (inout State) -> Result?) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        while true {
            if let result = attempt(&state) { return result }
            unsafe pthread_cond_wait(condition, lock)
        }
    }
}
