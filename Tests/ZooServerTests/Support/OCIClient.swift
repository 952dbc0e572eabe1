// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer

/// Sends requests of the OCI API with curl, to a server that a test runs.
struct OCIClient: Sendable {
    let url: String
    /// A bearer token; nil for none.
    var token: String?

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - target: the path and the query, or a `Location` that the server answered.
    ///   - fields: header fields, each `Name: value`.
    ///   - body: the body; nil for none.
    /// - Returns: the response.
    /// - Throws: when curl got none.
    func send(
        _ method: String,
        _ target: String,
        _ fields: [String] = [],
        body: [UInt8]? = nil
    ) async throws -> Reply {
        var arguments = ["curl", "-q", "-s", "-i", "--path-as-is", "--max-time", "30"]
        arguments += method == "HEAD" ? ["-I"] : ["-X", method]
        for field in fields { arguments += ["-H", field] }
        if let token { arguments += ["-H", "Authorization: Bearer \(token)"] }
        var file: URL?
        defer { if let file { try? FileManager.default.removeItem(at: file) } }
        if let body {
            let path = FileManager.default.temporaryDirectory
                .appendingPathComponent("body-\(UUID().uuidString)")
            try Data(body).write(to: path)
            file = path
            arguments += ["--data-binary", "@\(path.path)"]
            if !fields.contains(where: { $0.hasPrefix("Content-Type") }) {
                arguments += ["-H", "Content-Type: application/octet-stream"]
            }
        }
        let result = try await command(arguments + [url + target])
        return try #require(Reply(result.output), "\(method) \(target): \(result)")
    }

    /// Starts an upload and returns its location.
    func start(_ repository: String) async throws -> String {
        let reply = try await send("POST", "/v2/\(repository)/blobs/uploads/")
        #expect(reply.status == 202)
        return try #require(reply.fields["location"])
    }

    /// Uploads a blob in one request.
    func upload(_ bytes: [UInt8], to repository: String) async throws -> Reply {
        let digest = ContentDigest(of: bytes)
        return try await send(
            "POST",
            "/v2/\(repository)/blobs/uploads/?digest=\(digest)",
            body: bytes
        )
    }

    /// Sends a manifest.
    func put(_ manifest: [UInt8], as reference: String, to repository: String) async throws
        -> Reply
    {
        try await send(
            "PUT",
            "/v2/\(repository)/manifests/\(reference)",
            ["Content-Type: \(ReleaseManifest.MediaType.manifest)"],
            body: manifest
        )
    }
}

extension Reply {
    /// The codes of an OCI error: that of the specification, and ours.
    var codes: [String] {
        guard let document = try? JSONObject(try JSONValue(parsing: body)),
            let error = try? document.objects("errors", maximum: 1).first,
            let code = try? error.string("code"),
            let detail = try? error.object("detail").string("code")
        else { return [] }
        return [code, detail]
    }
}

extension OpenPolicy {
    /// Everybody may publish and delete.
    static let everything = OpenPolicy(writable: true)
}
