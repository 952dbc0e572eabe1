// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A change of an index document as a request to a server: `docs/http-api.md`, "Changes".
extension IndexChange {
    /// The first part of the paths.
    package static let path = "/api/v1/models/"

    /// The method of a request.
    package enum Method: String, Sendable {
        case put = "PUT"
        case delete = "DELETE"
    }

    /// A request.
    package struct Request: Sendable, Equatable {
        /// The method.
        package let method: Method
        /// The path and, for `DELETE`, the query.
        package let target: String
        /// The body; nil for `DELETE`.
        package let body: JSONValue?
    }

    /// The request that asks a server for the change.
    package var request: Request {
        switch kind {
        case .yank(let version, let reason):
            var members: [String: JSONValue] = ["reason": .string(reason)]
            if let digest { members["digest"] = .string(digest.description) }
            return Request(method: .put, target: yankPath(version), body: .object(members))
        case .unyank(let version):
            let query = digest.map { "?digest=\($0)" } ?? ""
            return Request(method: .delete, target: yankPath(version) + query, body: nil)
        case .channel(let channel, let added, let removed):
            func list(_ versions: Set<SemanticVersion>) -> JSONValue {
                .array(versions.sorted().map { .string($0.description) })
            }
            return Request(
                method: .put,
                target: "\(Self.path)\(name)/channels/\(channel.text)",
                body: ["add": list(added), "remove": list(removed)]
            )
        }
    }

    private func yankPath(_ version: SemanticVersion) -> String {
        "\(Self.path)\(name)/versions/\(version)/yank"
    }

    /// Parses a request; nil when the path is not that of a change.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - path: the path.
    ///   - digest: the query item `digest`; nil for none.
    ///   - body: the body, a JSON document for `PUT`.
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` code, or that of a malformed name, version,
    ///   channel or digest.
    package init?(
        method: Method,
        path: String,
        digest: String?,
        body: [UInt8]
    ) throws(ZooError) {
        let parts = path.dropFirst(Self.path.count).split(
            separator: "/",
            omittingEmptySubsequences: false
        ).map(String.init)
        guard path.hasPrefix(Self.path), parts.count == 4 || parts.count == 5 else { return nil }
        let name = try ModelName(parsing: "\(parts[0])/\(parts[1])")
        switch (method, parts[2], parts.count) {
        case (.put, "versions", 5) where parts[4] == "yank":
            let object = try Self.object(body)
            let stated = try object.optionalString("digest")
            self.init(
                name,
                .yank(
                    try SemanticVersion(parsing: parts[3]),
                    reason: try object.string("reason", maximum: 1000)
                ),
                digest: try Self.digest(stated)
            )
        case (.delete, "versions", 5) where parts[4] == "yank":
            self.init(
                name,
                .unyank(try SemanticVersion(parsing: parts[3])),
                digest: try Self.digest(digest)
            )
        case (.put, "channels", 4):
            let object = try Self.object(body)
            self.init(
                name,
                .channel(
                    try ChannelName(parsing: parts[3]),
                    adding: try Self.versions(object, "add"),
                    removing: try Self.versions(object, "remove")
                )
            )
        default: return nil
        }
    }

    private static func object(_ body: [UInt8]) throws(ZooError) -> JSONObject {
        let limits = JSONValue.Limits(bytes: 1 << 20, depth: 4, values: 20_000)
        return try JSONObject(try JSONValue(parsing: body, limits: limits))
    }

    private static func digest(_ text: String?) throws(ZooError) -> ContentDigest? {
        guard let text else { return nil }
        return try ContentDigest(parsing: text)
    }

    private static func versions(
        _ object: JSONObject,
        _ field: String
    ) throws(ZooError) -> Set<SemanticVersion> {
        guard object.value(field) != nil else { return [] }
        var versions: Set<SemanticVersion> = []
        for text in try object.strings(field, maximum: FormatLimits.versions) {
            versions.insert(try SemanticVersion(parsing: text))
        }
        return versions
    }
}
