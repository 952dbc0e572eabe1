// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// Starts threads of the operating system for work that keeps a core busy, which must not happen on
/// Swift's cooperative threads.
enum ComputeThread {
    private final class Entry {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new detached thread.
    ///
    /// - Returns: whether the system grants one.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        // The thread's entry point takes over the reference that is handed over here.
        let entry = unsafe Unmanaged.passRetained(Entry(body)).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Entry>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            entry
        )
        guard status == 0 else {
            unsafe Unmanaged<Entry>.fromOpaque(entry).release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
