// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Where a registry is: a folder on this machine, or an HTTP address.
package enum RegistryLocation: Sendable, Hashable {
    /// A folder, by its absolute path.
    case folder(String)
    /// An `http` or `https` base address without a trailing slash.
    case web(String)

    /// Reads what a person writes: a path, a `file:` URL or an HTTP address.
    ///
    /// - Throws: ``ZooError`` with code `registry.address-invalid`.
    package init(parsing text: String) throws(ZooError) {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            var base = text[...]
            while base.hasSuffix("/") { base.removeLast() }
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
                "'\(text)' is not the address of a registry",
                remedy: "give a folder, a 'file:' URL, or an address that begins with 'https://'"
            )
        }
    }

    /// The registry that a reference with a host means: HTTPS, or HTTP on this machine itself.
    package init(host: String) {
        let isLocal = ["localhost", "127.0.0.1"].contains(
            host.lowercased().split(separator: ":").first.map(String.init)
        )
        self = .web("\(isLocal ? "http" : "https")://\(host)")
    }
}

extension RegistryLocation: CustomStringConvertible {
    /// The address as people write it.
    package var description: String {
        switch self {
        case .folder(let path): "file:\(path)"
        case .web(let base): base
        }
    }
}
