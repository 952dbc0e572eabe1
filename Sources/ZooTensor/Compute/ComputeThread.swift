// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// Starts operating system threads for CPU-bound work.
///
/// Such work must not run on Swift's cooperative threads.
enum ComputeThread {
    private final class Entry {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new detached thread.
    ///
    /// - Returns: whether the system could start a thread.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        // The entry point of the thread takes ownership of this reference.
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
