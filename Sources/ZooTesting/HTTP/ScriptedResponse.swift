// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One response of ``HostileServer``, valid or invalid.
package struct ScriptedResponse: Sendable {
    /// A fault on the connection while the body is sent.
    package enum Fault: Sendable {
        /// Closes the connection after a number of body bytes.
        case close(after: Int)
        /// Resets the connection after a number of body bytes.
        case reset(after: Int)
        /// Stalls for some time after a number of body bytes.
        case stall(after: Int, Duration)
        /// Sends the body in small chunks with a pause after each.
        case drip(bytes: Int, every: Duration)
    }

    /// How the server handles the request body before it responds.
    package enum Intake: Sendable {
        /// Reads the whole body.
        case whole
        /// Sends `100 Continue` and reads the whole body.
        case afterContinue
        /// Responds at once and then reads the body, only for an orderly close.
        case afterResponse
        /// Closes the connection without a response after a number of bytes.
        case close(after: Int)
    }

    /// The framing of the body.
    package enum Framing: Sendable {
        /// `Content-Length`, unless the headers already have one.
        case length
        /// Chunked transfer encoding.
        case chunked
        /// Close of the connection.
        case close
    }

    /// The status.
    package var status: Int
    /// The headers by name; a nil value removes a default header.
    package var headers: [String: String?]
    /// The body, which is sent completely unless there is a fault.
    package var body: [UInt8]
    /// The framing of the body.
    package var framing = Framing.length
    /// The fault on the connection.
    package var fault: Fault?
    /// The handling of the request body.
    package var intake = Intake.whole

    /// Creates a response.
    package init(status: Int, headers: [String: String?] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Creates the correct response of a static file server, with ranges, conditions and entity tags.
    package init(_ content: ServedContent, to request: RecordedRequest) {
        self.init(status: 200, headers: ["Accept-Ranges": "bytes"], body: content.bytes)
        headers["ETag"] = content.entityTag
        let condition = request.headers["if-none-match"]
        if let tag = content.entityTag, condition == tag {
            status = 304
            body = []
            return
        }
        let ifRange = request.headers["if-range"]
        guard let range = request.range, ifRange == nil || ifRange == content.entityTag else {
            return
        }
        let sent = range.clamped(to: 0..<content.bytes.count)
        guard !sent.isEmpty else {
            status = 416
            body = []
            headers["Content-Range"] = "bytes */\(content.bytes.count)"
            return
        }
        status = 206
        body = Array(content.bytes[sent])
        headers["Content-Range"] =
            "bytes \(sent.lowerBound)-\(sent.upperBound - 1)/\(content.bytes.count)"
    }

    /// The status line and headers as sent.
    var head: String {
        var lines = ["HTTP/1.1 \(status) Scripted"]
        var all = headers
        switch framing {
        case .length where all["Content-Length"] == nil && status != 304 && status != 204:
            all["Content-Length"] = "\(body.count)"
        case .chunked: all["Transfer-Encoding"] = "chunked"
        case .close: all["Connection"] = "close"
        case .length: break
        }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            if let value { lines.append("\(name): \(value)") }
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }
}
