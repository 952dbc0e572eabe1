// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// An OCI content descriptor: the media type, size and digest of a blob.
///
/// Source: opencontainers/image-spec, `descriptor.md`, version 1.1.
public struct Descriptor: Sendable, Equatable {
    /// The media type of the content.
    public let mediaType: String
    /// The digest of the content.
    public let digest: ContentDigest
    /// The size of the content in bytes.
    public let size: Int
    /// The OCI annotations.
    public let annotations: [String: String]

    /// Creates a descriptor.
    public init(
        mediaType: String,
        digest: ContentDigest,
        size: Int,
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
    }

    init(_ object: JSONObject) throws(ZooError) {
        mediaType = try object.string("mediaType")
        digest = try object.digest("digest")
        size = try object.size("size")
        annotations = try Self.annotations(of: object)
    }

    static func annotations(of object: JSONObject) throws(ZooError) -> [String: String] {
        guard let notes = try object.optionalObject("annotations") else { return [:] }
        var annotations: [String: String] = [:]
        for key in notes.members.keys {
            annotations[key] = try notes.string(key, maximum: 4096)
        }
        return annotations
    }

    /// The stored form.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "mediaType": .string(mediaType), "digest": .string(digest.description),
            "size": .integer(size),
        ]
        if !annotations.isEmpty {
            members["annotations"] = .object(annotations.mapValues(JSONValue.string))
        }
        return .object(members)
    }
}
