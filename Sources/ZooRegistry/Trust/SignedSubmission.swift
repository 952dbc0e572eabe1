// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A new index document, and the targets metadata that lists it, made and signed by a publisher.
///
/// It changes a signed registry through its server: `docs/http-api.md`, "Signed registries".
package struct SignedSubmission: Sendable {
    /// The new index document.
    package let index: IndexDocument
    /// The next version of the role that signs for the model.
    package let targets: [UInt8]

    /// Creates a submission.
    package init(index: IndexDocument, targets: [UInt8]) {
        self.index = index
        self.targets = targets
    }

    private static let ending = "/signed"

    /// The path of the request.
    package static func path(of name: ModelName) -> String {
        "\(IndexChange.path)\(name)\(ending)"
    }

    /// The model at the path of a request; nil for other paths.
    package static func model(at path: String) -> ModelName? {
        guard path.hasPrefix(IndexChange.path), path.hasSuffix(ending) else { return nil }
        return try? ModelName(
            parsing: String(path.dropFirst(IndexChange.path.count).dropLast(ending.count))
        )
    }

    /// The largest size of a request in bytes.
    package static let limit = FormatLimits.indexDocument + (16 << 20)

    /// The body of the request.
    ///
    /// - Throws: ``ZooError`` with a `json.*` code.
    package var body: JSONValue {
        get throws(ZooError) {
            [
                "index": try JSONValue(parsing: index.canonicalBytes),
                "targets": try JSONValue(parsing: targets, limits: Self.limits),
            ]
        }
    }

    /// Parses the body of a request.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or one of the index document.
    package init(body: [UInt8]) throws(ZooError) {
        let object = try JSONObject(try JSONValue(parsing: body, limits: Self.limits))
        index = try IndexDocument(
            canonical: JSONValue.object(try object.object("index").members).canonicalBytes
        )
        // Metadata that this program writes is in canonical form, so that its bytes are these.
        targets = JSONValue.object(try object.object("targets").members).canonicalBytes
    }

    private static let limits = JSONValue.Limits(bytes: limit)
}
