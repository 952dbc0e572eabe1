// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The layout of a registry folder, on disk or behind a web server.
///
/// ```
/// zoo.json                        name and mirrors of the registry
/// index/<namespace>/<name>.json   one document per model
/// index/<namespace>/<hex>.<name>.json the same under its digest, where a log or TUF names it
/// blobs/sha256/<hex>              manifests, records, archives, block tables: immutable
/// catalogue.json                  the head of the catalogue, which is derived from the rest
/// deleted/<namespace>/<name>.jsonl the versions of a model that were deleted
/// oci-layout, index.json          make the folder an OCI image layout; a derived view
/// ```
public enum RegistryLayout {
    /// The description of the registry.
    public static let description = "zoo.json"
    /// The marker of an OCI image layout.
    public static let imageLayout = "oci-layout"
    /// The content of ``imageLayout``.
    public static let imageLayoutContent = #"{"imageLayoutVersion":"1.0.0"}"#
    /// The list of all manifests, kept for OCI tools while it is small (``imageIndexLimit``).
    public static let imageIndex = "index.json"
    /// The number of releases beyond which publishing removes ``imageIndex``.
    ///
    /// Rewriting the list costs time in proportion to it, and the index documents are the authority.
    public static let imageIndexLimit = 1000
    /// The head of the catalogue.
    public static let catalogue = "catalogue.json"
    /// The folder of blobs.
    public static let blobs = "blobs/sha256"

    /// The path of a blob.
    public static func blob(_ digest: ContentDigest) -> String { "\(blobs)/\(digest.hex)" }

    /// The path of the log of a model's deleted versions.
    public static func deletions(_ name: ModelName) -> String {
        "deleted/\(name.namespace)/\(name.name).jsonl"
    }

    /// The path of a model's index document.
    public static func index(_ name: ModelName) -> String {
        "index/\(name.namespace)/\(name.name).json"
    }
}
