// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A reference to a release: `[host[:port]/]namespace/name[:version|:channel][@sha256:hex]`.
public struct ModelReference: Hashable, Sendable {
    /// The release of the model that is selected.
    public enum Selector: Hashable, Sendable {
        /// The newest release of a channel that is not yanked.
        case channel(ChannelName)
        /// An exact version.
        case version(SemanticVersion)
    }

    /// The host and port of the registry; nil when the reference has none.
    public let host: String?
    /// The name of the model.
    public let name: ModelName
    /// The version or channel; default: the channel `stable`.
    public let selector: Selector
    /// The digest of the manifest; nil when the reference does not pin it.
    public let digest: ContentDigest?

    /// Creates a reference from its parts.
    public init(
        host: String? = nil,
        name: ModelName,
        selector: Selector = .channel(.stable),
        digest: ContentDigest? = nil
    ) {
        self.host = host
        self.name = name
        self.selector = selector
        self.digest = digest
    }

    /// Parses a reference.
    ///
    /// - Throws: ``ZooError`` with code `reference.malformed` for any invalid part, because a reference
    ///   is typed by a user and a mistake in it is a usage error.
    public init(parsing text: String) throws(ZooError) {
        do {
            self = try Self.read(text)
        } catch {
            guard error.code != .referenceMalformed else { throw error }
            throw ZooError(
                .referenceMalformed,
                "in the reference '\(text.prefix(200))', \(error.message)",
                remedy: error.remedy
            )
        }
    }

    private static func read(_ text: String) throws(ZooError) -> ModelReference {
        guard text.utf8.count <= 512 else {
            throw ZooError(.referenceMalformed, "a reference has at most 512 bytes")
        }
        let (address, pin) = text.split(atFirst: "@")
        let digest =
            if let pin { try ContentDigest(parsing: String(pin)) } else { nil as ContentDigest? }
        var parts = address.split(separator: "/", omittingEmptySubsequences: false)
        let host = parts.count == 3 ? try checkedHost(String(parts.removeFirst())) : nil
        let (path, tag) = parts.joined(separator: "/").split(atFirst: ":")
        let name = try ModelName(parsing: String(path))
        let selector: Selector =
            switch tag {
            case nil: .channel(.stable)
            case let tag? where tag.first?.isNumber == true:
                .version(try SemanticVersion(parsing: String(tag)))
            case let tag?: .channel(try ChannelName(parsing: String(tag)))
            }
        return ModelReference(host: host, name: name, selector: selector, digest: digest)
    }

    /// A DNS name or IPv4 address with an optional port.
    private static func checkedHost(_ text: String) throws(ZooError) -> String {
        let (host, port) = text.split(atFirst: ":")
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, labels.allSatisfy(isLabel), port.map(isPort) ?? true else {
            throw ZooError(
                .referenceMalformed,
                "'\(text)' is not a host with an optional port",
                remedy: "write a host name such as 'zoo.example.org' or 'localhost:8080'"
            )
        }
        return text
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.first != UInt8(ascii: "-") && label.utf8.last != UInt8(ascii: "-")
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Whether `text` is 1 to 65535 without a sign or a leading zero, which `Int` would accept.
    private static func isPort(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.utf8.first != 0x30,
            let port = Int(text)
        else { return false }
        return port <= 65535
    }
}

extension ModelReference: CustomStringConvertible {
    /// The text form, always with the version or channel.
    public var description: String {
        let tag =
            switch selector {
            case .channel(let channel): channel.description
            case .version(let version): version.description
            }
        let address = (host.map { "\($0)/" } ?? "") + "\(name):\(tag)"
        return digest.map { "\(address)@\($0)" } ?? address
    }
}

extension ModelReference {
    /// The address of the registry on a host: HTTPS, or HTTP for local hosts.
    public static func registryAddress(ofHost host: String) -> String {
        let isLocal = ["localhost", "127.0.0.1"].contains(
            host.lowercased().split(separator: ":").first.map(String.init)
        )
        return "\(isLocal ? "http" : "https")://\(host)"
    }
}
