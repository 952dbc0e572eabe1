// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The location of a registry: a local folder or an HTTP URL.
package enum RegistryLocation: Sendable, Hashable {
    /// A folder with an absolute path.
    case folder(String)
    /// An `http` or `https` base URL without a trailing slash.
    case web(String)

    /// Parses a path, a `file:` URL or an HTTP URL.
    ///
    /// - Throws: ``ZooError`` with code `registry.address-invalid`.
    package init(parsing text: String) throws(ZooError) {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            var base = text[...]
            while base.hasSuffix("/") { base.removeLast() }
            if let problem = Self.ambiguity(of: base) {
                throw ZooError(
                    .registryAddress,
                    "'\(text)' \(problem)",
                    remedy: "write it as 'https://HOST/PATH'"
                )
            }
            self = .web(String(base))
        } else if text.hasPrefix("file:") {
            let path = text.dropFirst(5)
            self = .folder(
                FileSystem.absolute(String(path.hasPrefix("//") ? path.dropFirst(2) : path))
            )
        } else if !text.isEmpty, !text.contains("://") {
            self = .folder(FileSystem.absolute(text))
        } else {
            throw ZooError(
                .registryAddress,
                "'\(text)' is not a registry address",
                remedy: "pass a folder, a 'file:' URL or an 'https://' URL"
            )
        }
    }

    /// What makes an address one of several forms for the same registry; nil for the plain form.
    ///
    /// What a machine trusts is found by the address, so that another form must not lead around it.
    private static func ambiguity(of base: Substring) -> String? {
        let parts = base.drop { $0 != ":" }.dropFirst(3)
            .split(separator: "/", omittingEmptySubsequences: false)
        guard let authority = parts.first, !authority.isEmpty else { return "has no host" }
        if authority.contains("@") { return "has a user before its host" }
        if authority.prefix(while: { $0 != ":" }).hasSuffix(".") {
            return "has a dot after its host"
        }
        if base.contains(where: { "?#\\".contains($0) || $0.isWhitespace }) {
            return "has characters that are not part of an address"
        }
        if parts.dropFirst().contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) {
            return "has empty or relative parts in its path"
        }
        return nil
    }

    /// The registry of a reference with a host: HTTPS, or HTTP for local hosts.
    package init(host: String) {
        self = .web(ModelReference.registryAddress(ofHost: host))
    }
}

extension RegistryLocation: CustomStringConvertible {
    /// The address, for messages.
    package var description: String {
        switch self {
        case .folder(let path): "file:\(path)"
        case .web(let base): base
        }
    }
}
