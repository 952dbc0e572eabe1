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
