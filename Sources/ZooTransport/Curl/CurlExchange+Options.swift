// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import ZooCore

/// The options of libcurl.
extension CurlExchange {
    /// Sets all options; returns the name of one that libcurl does not accept.
    func setUp() -> String? {
        let easy = unsafe handles.easy
        let settings = task.settings
        var refused: String?
        func set(_ name: String, _ code: CURLcode) {
            if code != CURLE_OK { refused = refused ?? name }
        }
        func set(_ name: String, _ option: CURLoption, _ value: Int) {
            unsafe set(name, ccurl_set_long(easy, option, value))
        }
        func set(_ name: String, _ option: CURLoption, _ text: String?) {
            unsafe set(name, ccurl_set_text(easy, option, text))
        }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()

        set("NOSIGNAL", CURLOPT_NOSIGNAL, 1)
        // Limits on size, redirects and speed are ours, not libcurl's: MAXFILESIZE misses bodies
        // without Content-Length, FOLLOWLOCATION allows a downgrade to http, and LOW_SPEED counts
        // whole seconds, including those that the receiver of the bytes takes.
        set("FOLLOWLOCATION", CURLOPT_FOLLOWLOCATION, 0)
        set("SUPPRESS_CONNECT_HEADERS", CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set("CONNECTTIMEOUT", CURLOPT_CONNECTTIMEOUT_MS, max(1, connectTimeout.wholeMilliseconds))
        unsafe set("PROTOCOLS", ccurl_allow_only_http(easy))
        unsafe set("QUICK_EXIT", ccurl_leave_lookups_behind(easy))
        // libcurl 7.88 refuses another size while it holds a buffer, which it does after a lookup
        // that failed. That buffer has this size already, and any other size works too.
        unsafe _ = ccurl_set_long(easy, CURLOPT_BUFFERSIZE, bufferSize)
        set("URL", CURLOPT_URL, task.request.address.url)
        set("USERAGENT", CURLOPT_USERAGENT, "ami-zoo/\(settings.version)")
        unsafe set("ERRORBUFFER", ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))

        // Empty texts keep libcurl from reading the environment.
        set("PROXY", CURLOPT_PROXY, settings.proxies.proxy(for: task.request.address.scheme) ?? "")
        set("NOPROXY", CURLOPT_NOPROXY, settings.proxies.exceptions ?? "")
        if case .custom(let file, let folder) = settings.authorities {
            // Nil takes away the system's, which would be trusted as well.
            set("CAINFO", CURLOPT_CAINFO, file)
            set("CAPATH", CURLOPT_CAPATH, folder)
            set("PROXY_CAINFO", CURLOPT_PROXY_CAINFO, file)
            set("PROXY_CAPATH", CURLOPT_PROXY_CAPATH, folder)
        }

        var lines = task.request.headers.map { "\($0.name): \($0.value)" }
        lines.append("Accept-Encoding: identity")
        // libcurl waits up to a second for the interim response that this header asks for; that pays
        // only where a refusal saves a large body. A name without a value takes the header away.
        if let body = task.body, body.size < 1 << 20 { lines.append("Expect:") }
        for line in lines {
            guard let longer = unsafe curl_slist_append(headerList, line) else { return "header" }
            unsafe headerList = longer
        }
        unsafe set("HTTPHEADER", ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList))
        unsafe set("HEADERDATA", ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        unsafe set("WRITEDATA", ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context))
        unsafe set(
            "HEADERFUNCTION",
            ccurl_set_callback(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
                unsafe CurlExchange.at(context).takeHeader(data, size * count)
            }
        )
        unsafe set(
            "WRITEFUNCTION",
            ccurl_set_callback(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
                unsafe CurlExchange.at(context).takeBody(data, size * count)
            }
        )
        if let range = task.request.range {
            set("RANGE", CURLOPT_RANGE, "\(range.lowerBound)-\(range.upperBound - 1)")
        }

        switch task.request.method {
        case .get: break
        case .head: set("NOBODY", CURLOPT_NOBODY, 1)
        case .delete where task.body == nil: set("METHOD", CURLOPT_CUSTOMREQUEST, "DELETE")
        case .post, .put, .patch, .delete:
            // UPLOAD with a method of its own sends no Content-Type that nobody asked for.
            set("UPLOAD", CURLOPT_UPLOAD, 1)
            set("METHOD", CURLOPT_CUSTOMREQUEST, task.request.method.rawValue)
            unsafe set("INFILESIZE", ccurl_set_body_size(easy, Int64(task.body?.size ?? 0)))
            unsafe set("READDATA", ccurl_set_pointer(easy, CURLOPT_READDATA, context))
            unsafe set("SEEKDATA", ccurl_set_pointer(easy, CURLOPT_SEEKDATA, context))
            unsafe set(
                "READFUNCTION",
                ccurl_set_callback(easy, CURLOPT_READFUNCTION) { data, size, count, context in
                    unsafe CurlExchange.at(context).giveBody(data, size * count)
                }
            )
            unsafe set(
                "SEEKFUNCTION",
                ccurl_set_seek(easy) { context, offset, _ in
                    unsafe CurlExchange.at(context).seekBody(to: Int(offset))
                }
            )
        }
        // On a kept connection that turns out to be closed, libcurl sends the request again by
        // itself; the server may have acted on the first one.
        if !task.request.isIdempotent { set("FRESH_CONNECT", CURLOPT_FRESH_CONNECT, 1) }
        return refused
    }

    /// A large buffer costs fewer turns; under a speed limit a small one spreads the bytes evenly.
    private var bufferSize: Int {
        let largest = 512 << 10
        guard let rate = task.settings.policy.maximumRate else { return largest }
        return min(largest, max(1024, rate / 8))
    }
}
