// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooTransport

/// Downloads a lab's file with a size limit and resumes interrupted downloads.
///
/// Labs rarely publish a digest, so the file is hashed after the download and the release record
/// states the digest.
package struct UpstreamFetcher: Sendable {
    /// A downloaded file.
    package struct Fetched: Sendable {
        /// The path on this machine.
        package let path: String
        /// The size in bytes.
        package let size: Int
        /// The digest.
        package let digest: ContentDigest
    }

    private let transport: HTTPTransport
    /// The download folder.
    package let folder: String
    private let limit: Int
    private let report: @Sendable (PullEvent) -> Void

    /// Creates a fetcher.
    ///
    /// - Parameters:
    ///   - transport: the HTTP transport.
    ///   - folder: the download folder, created if necessary.
    ///   - limit: the maximum size of a file in bytes.
    ///   - report: receives progress events.
    package init(
        transport: HTTPTransport,
        folder: String,
        limit: Int,
        report: @escaping @Sendable (PullEvent) -> Void
    ) {
        self.transport = transport
        self.folder = folder
        self.limit = limit
        self.report = report
    }

    /// Downloads a file.
    ///
    /// - Parameters:
    ///   - file: the file in the catalogue.
    ///   - address: the URL of a mirror to use instead.
    /// - Returns: the file; nil for an optional file that the server does not have.
    /// - Throws: ``ZooError`` with code `import.file-too-large`, `import.file-mismatch`,
    ///   `io.disk-full`, or a `transport.*` code; the next run resumes the partial download.
    package func fetch(
        _ file: CatalogueEntry.File,
        from address: String? = nil
    ) async throws -> Fetched? {
        let address = address ?? file.url
        let target: (bytes: Int, entityTag: String?)
        do {
            target = try await transport.length(of: address)
        } catch let error as ZooError where error.code.category == .notFound && file.isOptional {
            return nil
        }
        try file.requireMatch(
            size: target.bytes,
            digest: nil,
            at: address,
            remedy: Self.mismatchRemedy
        )
        guard target.bytes <= limit else {
            throw ZooError(
                .importFileTooLarge,
                "'\(address)' has \(target.bytes) bytes; the limit is \(limit)",
                remedy: "raise the limit with --max-size \(target.bytes)"
            )
        }
        try FileSystem.createFolder(folder)
        let path = "\(folder)/\(file.name)"
        let partial = try PartialFile(
            path,
            address: address,
            size: target.bytes,
            tag: target.entityTag
        )
        guard let free = FileSystem.freeSpace(at: folder), free >= target.bytes - partial.size
        else {
            throw ZooError(
                .diskFull,
                "'\(address)' has \(ByteCount(target.bytes)), and the disk of '\(folder)' has not "
                    + "enough free space",
                remedy: "free some space, or set AMI_ZOO_HOME to a folder on a larger disk"
            )
        }
        if partial.size < target.bytes {
            var request = StreamRequest(
                url: address,
                totalSize: target.bytes,
                range: partial.size..<target.bytes
            )
            request.entityTag = target.entityTag
            let (report, reused) = (report, partial.size)
            try await transport.stream(request) { span in
                let done = try partial.append(span)
                report(
                    .progress(PullEvent.Progress(total: target.bytes, done: done, reused: reused))
                )
            }
        }
        report(.finishing)
        let digest = try await BlockingWork.run { try partial.finish($0) }
        do throws(ZooError) {
            try file.requireMatch(
                size: target.bytes,
                digest: digest,
                at: address,
                remedy: Self.mismatchRemedy
            )
        } catch {
            try FileSystem.remove(path)
            throw error
        }
        return Fetched(path: path, size: target.bytes, digest: digest)
    }

    private static let mismatchRemedy =
        "the file differs from the published one; use another mirror with --from"
}

/// A partial download, with a note beside it that identifies the download.
private final class PartialFile: Sendable {
    private let path: String
    private let file: OpenFile
    private let note: String
    /// The bytes downloaded by an earlier run.
    let size: Int
    private let position: Mutex<Int>

    init(_ path: String, address: String, size: Int, tag: String?) throws {
        self.path = path
        note = "\(path).json"
        let content: JSONValue = [
            "url": .string(address), "size": .integer(size), "tag": .string(tag ?? ""),
        ]
        let partial = "\(path).part"
        let known = try? FileSystem.document(note, limit: 1 << 16)
        // Without a strong tag, the server's file may have changed since the partial download.
        let isSame = known == content.canonicalBytes && tag?.hasPrefix("\"") == true
        if !isSame { try FileSystem.remove(partial) }
        if try FileSystem.status(partial)?.kind == .file { try FileSystem.makeWritable(partial) }
        try FileSystem.writeAtomically(note, content.canonicalBytes)
        file = try OpenFile(partial, .write)
        self.size = min(try file.status().size, size)
        position = Mutex(self.size)
    }

    func append(_ span: RawSpan) throws -> Int {
        try position.withLock { position in
            try unsafe span.withUnsafeBytes { bytes in
                try unsafe file.write(bytes, at: position)
            }
            position += span.byteCount
            return position
        }
    }

    func finish(_ cancellation: Cancellation) throws -> ContentDigest {
        try file.synchronize()
        let digest = try FileDigest.compute("\(path).part", cancellation)
        try FileSystem.rename("\(path).part", to: path)
        try FileSystem.remove(note)
        return digest
    }
}
