// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes

/// What of a file a request gets, once its conditions and its range are weighed against the file.
enum Delivery: Equatable, Sendable {
    /// 200: everything.
    case whole
    /// 206: these bytes.
    case part(Range<Int>)
    /// 304: the client has it already.
    case notModified
    /// 412: the client wants another content than this one.
    case preconditionFailed
    /// 416: the range begins after the end.
    case unsatisfiable

    /// Decides in the order that RFC 9110 section 13.2.2 prescribes.
    ///
    /// There is no `Last-Modified`, so conditions on dates are never met or are ignored, as the
    /// same section says.
    ///
    /// - Parameters:
    ///   - request: the method and the fields; the method is GET or HEAD.
    ///   - tag: the strong tag of the file.
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
        // Ranges are defined for GET alone (section 14.2). An empty file has no range that
        // Content-Range could express, so it is sent whole.
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
