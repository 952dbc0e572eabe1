// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import Foundation
import ZooCore

/// One request and its response on a worker's handles; lives on the worker's thread only.
@safe final class CurlExchange {
    private let task: ExchangeTask
    private let handles: CurlHandles
    private var machine: TransferMachine
    private var headReader = ResponseHeadReader()
    private var stall: StallWatch
    /// Set when this side ends the exchange; tells that from a failure of the network.
    private var ownEnd: ExchangeEnd?
    /// The header list and the error text, which libcurl reads and writes during the transfer.
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    /// Prepares an exchange.
    init(_ task: ExchangeTask, on handles: CurlHandles) {
        self.task = task
        self.handles = handles
        machine = task.machine
        stall = StallWatch(policy: task.settings.policy, now: .now)
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_slist_free_all(headerList)
        unsafe errorText.deallocate()
    }

    /// Blocks until the exchange has ended, for whatever reason.
    func run() -> ExchangeOutcome {
        // Resetting drops the options and keeps connections, sessions and resolved names; done at
        // the end as well, because the handle outlives the memory that the options point to.
        unsafe curl_easy_reset(handles.easy)
        defer { unsafe curl_easy_reset(handles.easy) }
        guard setUp() else {
            let setback = Setback.permanent(.libraryFailed, "libcurl refused its options")
            return ExchangeOutcome(machine: machine, end: .failed(setback))
        }
        let code = handles.run(poll: stall.pollMilliseconds) { shouldGiveUp() }
        let end = ownEnd ?? code.map { conclude($0) } ?? .complete
        return ExchangeOutcome(machine: machine, end: end)
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
        return .failed(
            Setback(
                libcurl: code.rawValue,
                systemError: unsafe ccurl_system_error(handles.easy),
                text: unsafe String(cString: errorText),
                policy: task.settings.policy
            )
        )
    }
}

// MARK: - Options

extension CurlExchange {
    private func setUp() -> Bool {
        let settings = task.settings
        let request = task.request
        for header in request.headers + [HeaderField("Accept-Encoding", "identity")] {
            let line = "\(header.name): \(header.value)"
            guard let longer = unsafe curl_slist_append(headerList, line) else { return false }
            unsafe headerList = longer
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        // Limits on length, redirects and speed are ours, not libcurl's: MAXFILESIZE misses bodies
        // without Content-Length, FOLLOWLOCATION allows a downgrade to http, and LOW_SPEED counts
        // whole seconds, including those that the receiver of the bytes takes.
        var codes = unsafe [
            ccurl_set_long(handles.easy, CURLOPT_NOSIGNAL, 1),
            ccurl_set_long(handles.easy, CURLOPT_FOLLOWLOCATION, 0),
            ccurl_set_long(handles.easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            ccurl_set_long(handles.easy, CURLOPT_BUFFERSIZE, 512 << 10),
            ccurl_set_long(
                handles.easy,
                CURLOPT_CONNECTTIMEOUT_MS,
                settings.policy.connectTimeout.wholeMilliseconds
            ),
            ccurl_allow_only_http(handles.easy),
            ccurl_leave_lookups_behind(handles.easy),
            ccurl_set_text(handles.easy, CURLOPT_URL, request.address.url),
            ccurl_set_text(handles.easy, CURLOPT_USERAGENT, "ami-zoo/\(settings.version)"),
            ccurl_set_pointer(handles.easy, CURLOPT_HTTPHEADER, headerList),
            ccurl_set_pointer(handles.easy, CURLOPT_ERRORBUFFER, errorText),
            ccurl_set_pointer(handles.easy, CURLOPT_HEADERDATA, context),
            ccurl_set_pointer(handles.easy, CURLOPT_WRITEDATA, context),
            ccurl_set_callback(handles.easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
                unsafe CurlExchange.at(context).takeHeader(data, size * count)
            },
            ccurl_set_callback(handles.easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
                unsafe CurlExchange.at(context).takeBody(data, size * count)
            },
        ]
        if let range = request.range {
            let text = "\(range.lowerBound)-\(range.upperBound - 1)"
            codes.append(unsafe ccurl_set_text(handles.easy, CURLOPT_RANGE, text))
        }
        if case .none = settings.proxies {
            codes.append(unsafe ccurl_set_text(handles.easy, CURLOPT_NOPROXY, "*"))
        }
        if let file = settings.certificateAuthorities {
            codes.append(unsafe ccurl_set_text(handles.easy, CURLOPT_CAINFO, file))
        }
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// The exchange behind a callback's context, which ``run()`` keeps alive.
    private static func at(_ context: UnsafeMutableRawPointer?) -> CurlExchange {
        guard let context = unsafe context else {
            preconditionFailure("libcurl dropped its context")
        }
        return unsafe Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    }
}

// MARK: - Callbacks

extension CurlExchange {
    /// Takes one header line; returning another number than `count` ends the transfer.
    private func takeHeader(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
        stall.add(count)
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
    private func takeBody(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        stall.add(count)
        if task.isCancelled {
            ownEnd = .aborted(CancellationError())
            return 0
        }
        switch machine.receive(count: count) {
        case .discard: return count
        case .stop:
            ownEnd = .complete
            return 0
        case .deliver(let skip):
            let bytes = unsafe UnsafeRawBufferPointer(start: data, count: count)
            do {
                try task.sink(unsafe RawSpan(_unsafeBytes: bytes).extracting(droppingFirst: skip))
                return count
            } catch {
                ownEnd = .aborted(error)
                return 0
            }
        }
    }
}
