// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooTransport

/// Downloads a lab's file: resumes where an earlier run stopped, and limits its size.
///
/// Labs rarely publish a digest; the file is hashed after the download, so that the release record
/// can state what it was made from.
package struct UpstreamFetcher: Sendable {
    /// What was fetched.
    package struct Fetched: Sendable {
        /// Where it lies.
        package let path: String
        /// Its length.
        package let size: Int
        /// Its digest.
        package let digest: ContentDigest
    }

    private let transport: HTTPTransport
    /// The folder that files are written to.
    package let folder: String
    private let limit: Int
    private let report: @Sendable (PullEvent) -> Void

    /// A fetcher.
    ///
    /// - Parameters:
    ///   - transport: makes the requests.
    ///   - folder: the folder to write to; made when it is not there.
    ///   - limit: the largest size of a file, in bytes.
    ///   - report: takes the progress.
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

    /// Fetches a file.
    ///
    /// - Parameters:
    ///   - file: what the catalogue says of it.
    ///   - address: where to fetch it from instead: a mirror.
    /// - Returns: the file; nil for an optional one that the server does not have.
    /// - Throws: ``ZooError`` with code `import.file-too-large`, `import.file-mismatch`,
    ///   `io.disk-full`, or a `transport.*` code; what arrived is kept for the next run.
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
                "'\(address)' has \(ByteCount(target.bytes)), more than fits on the disk of "
                    + "'\(folder)'",
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
        "it is not the file that was published; give another mirror with --from"
}

/// A file that is being downloaded, and beside it a note of which download it is part of.
private final class PartialFile: Sendable {
    private let path: String
    private let file: OpenFile
    private let note: String
    /// Bytes that an earlier run has left.
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
        // Without a strong tag nobody knows whether the rest belongs to the beginning.
        let isSame = known == content.canonicalBytes && tag?.hasPrefix("\"") == true
        if !isSame { try FileSystem.remove(partial) }
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
