// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A thread that can be joined; Foundation's cannot.
///
/// Libraries under libcurl free per-thread memory when a thread ends and global memory when the process
/// ends, and abort when both happen at once. So the threads are joined before the process ends.
@safe struct JoinableThread: @unchecked Sendable {
    // Unchecked: a pthread_t may be used from any thread; on Darwin it is a pointer.
    private let handle: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread with a name of at most 15 bytes, which debuggers and `top` show; nil when the
    /// system cannot start another.
    init?(name: String, _ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(
            Body {
                Thread.current.name = name
                body()
            }
        )
        #if canImport(Darwin)
        var started: pthread_t?
        #else
        var started = pthread_t()
        #endif
        let code = unsafe pthread_create(&started, nil, Self.main, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            return nil
        }
        #if canImport(Darwin)
        guard let started else { return nil }
        #endif
        handle = started
    }

    #if canImport(Darwin)
    private static let main: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? =
        { context in
            unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }
    #else
    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { context in
            guard let context = unsafe context else { return nil }
            unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            return nil
        }
    #endif

    /// Blocks until the thread has ended; from that thread itself, only lets it end unobserved.
    func join() {
        if pthread_equal(pthread_self(), handle) != 0 {
            pthread_detach(handle)
        } else {
            pthread_join(handle, nil)
        }
    }
}
