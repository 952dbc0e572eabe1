// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import ZooCore

/// The owner of one easy handle and of the multi handle that drives it and keeps its connections.
///
/// A multi handle, unlike `curl_easy_perform`, can be woken from another thread, so that a
/// cancellation takes effect at once.
///
/// Unchecked: everything but ``wake()`` is called on the worker's thread only. `wake()` is
/// `curl_multi_wakeup`, which libcurl documents as safe from any thread (it writes to a socket
/// pair under no shared state); the reference count keeps the handle alive during the call.
@safe final class CurlHandles: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    let easy: UnsafeMutableRawPointer

    /// Makes both handles; nil when libcurl cannot.
    init?() {
        guard Self.isLibraryReady, let multi = unsafe curl_multi_init() else { return nil }
        guard let easy = unsafe curl_easy_init() else {
            unsafe curl_multi_cleanup(multi)
            return nil
        }
        unsafe self.multi = unsafe multi
        unsafe self.easy = unsafe easy
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_multi_cleanup(multi)
    }

    /// Runs the transfer that `easy` is set up for until it ends or `giveUp` returns true.
    ///
    /// - Parameters:
    ///   - poll: The longest time between two calls of `giveUp`, in milliseconds.
    ///   - giveUp: Called whenever the transfer has moved, was woken, or `poll` has passed.
    /// - Returns: libcurl's result, or nil when `giveUp` ended the transfer.
    func run(poll: Int32, unless giveUp: () -> Bool) -> CURLcode? {
        guard unsafe curl_multi_add_handle(multi, easy) == CURLM_OK else {
            return CURLE_FAILED_INIT
        }
        // Removing the handle of an unfinished transfer closes its connection.
        defer { unsafe curl_multi_remove_handle(multi, easy) }
        var running: Int32 = 0
        while true {
            guard unsafe curl_multi_perform(multi, &running) == CURLM_OK else {
                return CURLE_FAILED_INIT
            }
            var result = CURLE_OK
            if running == 0 {
                return unsafe ccurl_take_result(multi, &result) == 1 ? result : CURLE_FAILED_INIT
            }
            if giveUp() { return nil }
            unsafe curl_multi_poll(multi, nil, 0, poll, nil)
        }
    }

    /// Sleeps until ``wake()`` is called, which may already have happened.
    func sleep() { unsafe curl_multi_poll(multi, nil, 0, Int32.max, nil) }

    /// Ends the wait that ``run(poll:unless:)`` or ``sleep()`` is in or will be in next.
    func wake() { unsafe curl_multi_wakeup(multi) }

    private static let isLibraryReady =
        curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}
