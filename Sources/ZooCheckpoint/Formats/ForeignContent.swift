// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// What people find in place of a checkpoint after a download that failed or was not finished.
enum ForeignContent {
    /// The number of bytes at the start of a file that are looked at.
    static let prefix = 512

    /// Rejects a file that is recognised as something else than a checkpoint.
    ///
    /// - Parameters:
    ///   - start: the first bytes of the file, ``prefix`` or all.
    ///   - path: the file, for messages.
    /// - Throws: ``ZooError`` with code `checkpoint.format-unknown`.
    static func refuse(_ start: [UInt8], _ path: String) throws(ZooError) {
        guard let (what, remedy) = kind(start) else { return }
        throw ZooError(
            .checkpointFormatUnknown,
            "'\(path)' is not a checkpoint: it is \(what)",
            remedy: remedy
        )
    }

    /// Rejects a file without a format that is empty or begins with zeros.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.format-unknown`.
    static func refuseBlank(_ start: [UInt8], _ path: String) throws(ZooError) {
        guard start.allSatisfy({ $0 == 0 }) else { return }
        throw ZooError(
            .checkpointFormatUnknown,
            "'\(path)' is not a checkpoint: it \(start.isEmpty ? "is empty" : "begins with zeros")",
            remedy: "its download was not finished; download it again"
        )
    }

    private static func kind(_ start: [UInt8]) -> (what: String, remedy: String)? {
        for (magic, name, tool) in compressions where start.starts(with: magic) {
            return (
                "compressed with \(name)",
                "decompress it with '\(tool)', then run the command again"
            )
        }
        guard let text = text(start) else { return nil }
        let download = "download the checkpoint itself, and compare its size with the published one"
        if text.hasPrefix("version https://git-lfs.github.com/spec/") {
            return (
                "a Git LFS pointer, which stands for a file that was not fetched",
                "run 'git lfs pull' in its repository, or download the file itself"
            )
        }
        if text.hasPrefix("/annex/objects/") || text.contains(".git/annex/objects/") {
            return (
                "a git-annex pointer, which stands for a file that was not fetched",
                "run 'git annex get' in its repository, or download the file itself"
            )
        }
        let start = text.prefix(300).lowercased()
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") {
            return ("a web page (HTML)", download)
        }
        if start.hasPrefix("<?xml") || start.hasPrefix("<error>") {
            return start.contains("<error>")
                ? ("the error message of a storage server (XML)", download)
                : ("an XML document", download)
        }
        // No header length of safetensors begins so: it would exceed the limit of 100 MB.
        if start.hasPrefix("{\"") || start.hasPrefix("{ ") || start.hasPrefix("{\n") {
            return ("a JSON document", download)
        }
        if ["entry not found", "not found", "access denied", "access to model", "invalid username"]
            .contains(where: { start.hasPrefix($0) })
        {
            return ("the error message of a server: '\(firstLine(of: text))'", download)
        }
        return nil
    }

    private static let compressions: [([UInt8], name: String, tool: String)] = [
        ([0x1F, 0x8B], "gzip", "gunzip"),
        (Array("BZh".utf8), "bzip2", "bunzip2"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz", "unxz"),
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd", "unzstd"),
    ]

    /// The bytes as text without white space and a byte order mark before it; nil if they hold
    /// bytes that no text does.
    private static func text(_ start: [UInt8]) -> String? {
        let isText = start.allSatisfy { $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }
        guard isText, !start.isEmpty else { return nil }
        let text = String(decoding: start, as: UTF8.self)
        return String(text.drop { $0.isWhitespace || $0 == "\u{FEFF}" })
    }

    private static func firstLine(of text: String) -> String {
        String((text.split(whereSeparator: \.isNewline).first ?? "").prefix(80))
    }
}
