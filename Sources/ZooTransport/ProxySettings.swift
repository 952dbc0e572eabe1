// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The proxies of a transport, with the meaning that curl gives to the environment variables.
package struct ProxySettings: Sendable, Hashable {
    /// The proxy for `http` addresses, `http_proxy`.
    package var http: String?
    /// The proxy for `https` addresses, `https_proxy`.
    package var https: String?
    /// The proxy for addresses without one of their own, `all_proxy`.
    package var all: String?
    /// Hosts to contact directly, separated by commas, `no_proxy`; `*` for every host.
    package var exceptions: String?

    /// No proxy.
    package static let none = ProxySettings()

    /// Makes settings without a proxy.
    package init() {}

    /// Reads the variables of curl: lower case first, and `http_proxy` in lower case only, because a
    /// web server sets `HTTP_PROXY` from a header of a request.
    package init(environment: (String) -> String?) {
        func value(_ names: String...) -> String? {
            names.lazy.compactMap(environment).first { !$0.isEmpty }
        }
        http = value("http_proxy")
        https = value("https_proxy", "HTTPS_PROXY")
        all = value("all_proxy", "ALL_PROXY")
        exceptions = value("no_proxy", "NO_PROXY")
    }

    /// The proxy for an address of this scheme, unless ``exceptions`` name its host.
    func proxy(for scheme: String) -> String? { (scheme == "http" ? http : https) ?? all }

    /// The proxy for an address of this scheme as messages show it: without user name and password.
    func name(for scheme: String) -> String? {
        proxy(for: scheme).map { proxy in
            let parts = proxy.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count > 1, let host = parts.last else { return proxy }
            guard let end = proxy.firstRange(of: "://")?.upperBound else { return String(host) }
            return "\(proxy[..<end])\(host)"
        }
    }
}
