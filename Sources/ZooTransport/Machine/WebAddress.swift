// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import CCurl
import ZooCore

/// An absolute `http` or `https` URL.
///
/// libcurl's own parser reads it, so that the host checked here is the host contacted: two parsers
/// that disagree about a URL are a known way around redirect rules.
struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    /// The URL as it is sent, without fragment.
    let url: String
    /// `http` or `https`.
    let scheme: String
    /// The host in lower case; an IPv6 address keeps its brackets.
    let host: String
    /// The port, explicit or the scheme's own.
    let port: String
    /// The path, which is at least `/`.
    let path: String

    /// Reads an absolute URL.
    init(parsing text: String) throws(ZooError) {
        let parts = URLParts()
        guard parts.set(text, flags: 0), let address = parts.address() else {
            throw ZooError(
                .urlInvalid,
                "\(text.debugDescription) is not a web address",
                remedy: "use http://… or https://…, without user name or password in it"
            )
        }
        self = address
    }

    /// The address that a `Location` header names; nil when it is not an `http` or `https` URL.
    func resolving(_ location: String) -> WebAddress? {
        let parts = URLParts()
        // Servers send raw spaces and non-ASCII in Location; browsers and curl escape them.
        guard parts.set(url, flags: 0), parts.set(location, flags: UInt32(CURLU_URLENCODE)) else {
            return nil
        }
        return parts.address()
    }

    /// Whether both addresses are served by the same scheme, host and port.
    func sharesOrigin(with other: WebAddress) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// The address as messages show it: without its query, which may hold a signature.
    var description: String {
        let isDefault = port == (scheme == "http" ? "80" : "443")
        return "\(scheme)://\(host)\(isDefault ? "" : ":\(port)")\(path)"
    }

    fileprivate init(url: String, scheme: String, host: String, port: String, path: String) {
        self.url = url
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }
}

/// The owner of one libcurl URL handle.
@safe private struct URLParts: ~Copyable {
    // libcurl returns null only when memory is out; every later call then reports an error.
    private let handle = unsafe curl_url()

    deinit { unsafe curl_url_cleanup(handle) }

    func set(_ text: String, flags: UInt32) -> Bool {
        unsafe curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK
    }

    func address() -> WebAddress? {
        // Credentials in a URL end up in logs and in redirects.
        guard get(CURLUPART_USER) == nil, get(CURLUPART_PASSWORD) == nil,
            unsafe curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK,
            let url = get(CURLUPART_URL),
            let scheme = get(CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https",
            let host = get(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
            let port = get(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)),
            let path = get(CURLUPART_PATH)
        else { return nil }
        return WebAddress(url: url, scheme: scheme, host: host, port: port, path: path)
    }

    private func get(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text = unsafe text
        else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
