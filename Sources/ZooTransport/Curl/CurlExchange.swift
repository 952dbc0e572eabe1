// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import Foundation
import ZooCore

/// One request and its response on a worker's handles; used on the worker's thread only.
@safe final class CurlExchange {
    let task: ExchangeTask
    let handles: CurlHandles
    private var machine: TransferMachine
    private var headReader = ResponseHeadReader()
    private var stall: StallWatch
    /// Bytes of the request's body that libcurl has taken.
    private var sent = 0
    /// How this side ended the exchange; nil when the network did.
    private var ownEnd: ExchangeEnd?
    /// The header list and the error text, which libcurl reads and writes during the transfer.
    var headerList: UnsafeMutablePointer<curl_slist>?
    let errorText: UnsafeMutablePointer<CChar>

    /// Prepares an exchange.
    init(_ task: ExchangeTask, on handles: CurlHandles) {
        self.task = task
        self.handles = handles
        machine = task.machine
        stall = StallWatch(
            policy: task.settings.policy,
            patience: task.request.patience,
            now: .now
        )
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_slist_free_all(headerList)
        unsafe errorText.deallocate()
    }

    /// Blocks until the exchange has ended.
    func run() -> ExchangeOutcome {
        // A reset drops the options and keeps connections, TLS sessions and resolved names. It is
        // repeated at the end because the handle outlives the memory that the options point to.
        unsafe curl_easy_reset(handles.easy)
        defer { unsafe curl_easy_reset(handles.easy) }
        if let option = setUp() {
            let failure = TransferFailure.permanent(
                .libraryFailed,
                "libcurl does not accept the option \(option)"
            )
            return ExchangeOutcome(machine: machine, end: .failed(failure))
        }
        let code = handles.run(poll: stall.pollMilliseconds) { shouldGiveUp() }
        let end = ownEnd ?? code.map { conclude($0) } ?? .complete
        return ExchangeOutcome(machine: machine, end: end, quiet: stall.quiet(now: .now))
    }

    private func shouldGiveUp() -> Bool {
        if task.isCancelled {
            ownEnd = .aborted(CancellationError())
        } else if let reason = stall.check(now: .now) {
            ownEnd = .failed(.transient(.stalled, reason))
        }
        return ownEnd != nil
    }

    private func conclude(_ code: CURLcode) -> ExchangeEnd {
        if code == CURLE_OK { return .complete }
        let report = CurlReport(
            result: code.rawValue,
            systemError: unsafe ccurl_system_error(handles.easy),
            text: unsafe String(cString: errorText),
            connectStatus: unsafe ccurl_connect_status(handles.easy)
        )
        return .failed(
            TransferFailure(
                report,
                proxy: task.settings.proxies.name(for: task.request.address.scheme),
                connectTimeout: connectTimeout
            )
        )
    }

    /// The longest time to establish a connection.
    var connectTimeout: Duration {
        min(task.settings.policy.connectTimeout, task.request.patience)
    }
}

// MARK: - Callbacks

extension CurlExchange {
    /// The exchange behind a callback's context, which ``run()`` keeps alive.
    static func at(_ context: UnsafeMutableRawPointer?) -> CurlExchange {
        guard let context = unsafe context else {
            preconditionFailure("libcurl dropped its context")
        }
        return unsafe Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    }

    /// Takes one header line; returning another number than `count` ends the transfer.
    func takeHeader(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
        stall.add(count, isProgress: false)
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        guard let head = headReader.take(line, at: Int(Date.now.timeIntervalSince1970)) else {
            return count
        }
        guard machine.receive(head) != .stop else {
            ownEnd = .complete
            return 0
        }
        return count
    }

    /// Takes bytes of the body; returning another number than `count` ends the transfer.
    func takeBody(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        stall.add(count, isProgress: true)
        guard keepsPace(after: count) else { return 0 }
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
        let opening = machine.suspectsPage ? unsafe Array(bytes.prefix(512)) : []
        switch machine.receive(count: count, opening: opening) {
        case .discard: return count
        case .stop:
            ownEnd = .complete
            return 0
        case .deliver(let skip):
            do {
                try task.sink(unsafe RawSpan(_unsafeBytes: bytes).extracting(droppingFirst: skip))
                return count
            } catch {
                ownEnd = .aborted(error)
                return 0
            }
        }
    }

    /// Fills libcurl's buffer with the next bytes of the request's body; 0 at the end.
    func giveBody(_ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int) -> Int {
        guard let body = task.body, sent < body.size, let buffer = unsafe buffer else { return 0 }
        let count = min(capacity, body.size - sent)
        do {
            let bytes = try body.read(sent..<sent + count)
            guard bytes.count == count else {
                throw ZooError(
                    .bodyChanged,
                    "the body for \(task.request.address) ends after \(sent + bytes.count) of "
                        + "\(body.size) bytes",
                    remedy: "run the same command again when nothing changes the file"
                )
            }
            unsafe bytes.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(
                    from: $0
                )
            }
        } catch {
            ownEnd = .aborted(error)
            return Int(CURL_READFUNC_ABORT)
        }
        sent += count
        stall.add(count, isProgress: true)
        if sent == body.size { stall.awaitResponse(for: task.request.patience) }
        return keepsPace(after: count) ? count : Int(CURL_READFUNC_ABORT)
    }

    /// Moves to a place in the request's body; libcurl does so before it sends the body again.
    func seekBody(to offset: Int) -> Int32 {
        guard let body = task.body, 0...body.size ~= offset else { return CURL_SEEKFUNC_FAIL }
        sent = offset
        return CURL_SEEKFUNC_OK
    }

    /// Sleeps until the speed limit allows more bytes; false when the task is cancelled.
    ///
    /// The worker's thread has nothing else to do, and the pause reaches the server through TCP.
    private func keepsPace(after count: Int) -> Bool {
        let due = task.limiter?.spend(count)
        while !task.isCancelled {
            guard let due, case let rest = due - .now, rest > .zero else { return true }
            Thread.sleep(forTimeInterval: min(0.02, rest / .seconds(1)))
        }
        ownEnd = .aborted(CancellationError())
        return false
    }
}
