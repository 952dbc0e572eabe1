// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import NIOPosix

/// The result of evaluating the conditions and the range of a request against a file.
enum Delivery: Equatable, Sendable {
    /// 200: the whole file.
    case whole
    /// 206: a byte range.
    case part(Range<Int>)
    /// 304: the client's copy is current.
    case notModified
    /// 412: the entity tag does not match `If-Match`.
    case preconditionFailed
    /// 416: the range starts after the end of the file.
    case unsatisfiable

    /// Evaluates the preconditions in the order of RFC 9110 section 13.2.2.
    ///
    /// The server sends no `Last-Modified`, so date conditions fail or are ignored as the section
    /// requires.
    ///
    /// - Parameters:
    ///   - request: the method, GET or HEAD, and the header fields.
    ///   - tag: the strong entity tag of the file.
    ///   - size: the size of the file in bytes.
    init(_ request: HTTPRequest, tag: EntityTag, size: Int) {
        let fields = request.headerFields
        if let header = fields[.ifMatch],
            !EntityTag.Condition(parsing: header).matches(tag, by: { $0.isStrongly($1) })
        {
            self = .preconditionFailed
        } else if let header = fields[.ifNoneMatch],
            EntityTag.Condition(parsing: header).matches(tag, by: { $0.isWeakly($1) })
        {
            self = .notModified
        } else {
            self = Self.ranged(request, tag: tag, size: size)
        }
    }

    private static func ranged(_ request: HTTPRequest, tag: EntityTag, size: Int) -> Delivery {
        // Ranges apply only to GET (section 14.2). Content-Range cannot express a range of an empty
        // file, so the whole file is sent.
        guard request.method == .get, size > 0, let header = request.headerFields[.range],
            let wanted = ByteRangeRequest(parsing: header)
        else { return .whole }
        if let header = request.headerFields[.ifRange] {
            guard let known = EntityTag(parsing: header), known.isStrongly(tag) else {
                return .whole
            }
        }
        guard let range = wanted.resolved(in: size) else { return .unsatisfiable }
        return .part(range)
    }
}

extension Delivery {
    /// The part of a file that is the body of the response; nil without a body.
    func body(
        of file: ServedFile,
        for request: HTTPRequest,
        _ readers: NIOThreadPool
    ) -> FileBody? {
        guard request.method == .get, file.size > 0 else { return nil }
        switch self {
        case .whole: return FileBody(file: file, range: 0..<file.size, readers: readers)
        case .part(let range): return FileBody(file: file, range: range, readers: readers)
        case .notModified, .preconditionFailed, .unsatisfiable: return nil
        }
    }
}
