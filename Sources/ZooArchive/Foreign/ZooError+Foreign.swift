// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// An archive is damaged, truncated, or contradicts itself.
    public static let foreignMalformed = Self("archive.malformed", .badData)
    /// An archive is followed by other data.
    public static let foreignTrailingData = Self("archive.trailing-data", .badData)
    /// A compressed file holds no tar archive, or is compressed twice.
    public static let foreignFormatUnknown = Self("archive.format-unknown", .badData)
    /// A name in an archive is absolute, points outside the archive, or is not text.
    public static let memberNameUnsafe = Self("archive.name-unsafe", .badData)
    /// Two names in an archive are equal, or equal after case folding.
    public static let memberNameDuplicate = Self("archive.name-duplicate", .badData)
    /// An archive holds a link, a device, a sparse file or another special file.
    public static let memberKindUnsupported = Self("archive.type-unsupported", .badData)
    /// A member of an archive is encrypted.
    public static let memberEncrypted = Self("archive.encrypted", .badData)
    /// An archive exceeds a limit on members, sizes or the compression ratio.
    public static let foreignLimit = Self("archive.limit", .badData)
    /// An archive has no member with a name.
    public static let memberMissing = Self("archive.member-not-found", .notFound)
    /// A blob of an image layout does not have the digest that is its name.
    public static let layoutBlobMismatch = Self("archive.blob-mismatch", .integrity)
}

extension ZooError {
    static func malformed(_ path: String, _ what: String) -> ZooError {
        ZooError(
            .foreignMalformed,
            "the archive '\(path)' \(what)",
            remedy: "the file is incomplete or damaged; download it again"
        )
    }

    static func overLimit(_ path: String, _ what: String) -> ZooError {
        ZooError(
            .foreignLimit,
            "the archive '\(path)' \(what)",
            remedy: "if you trust the archive, unpack it with its own tool, and give what it holds"
        )
    }
}
