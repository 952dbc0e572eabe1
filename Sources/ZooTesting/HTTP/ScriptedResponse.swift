// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One response, correct or not, as ``HostileServer`` sends it.
package struct ScriptedResponse: Sendable {
    /// What happens to the connection while the body is sent.
    package enum Fault: Sendable {
        /// The connection is closed after so many bytes of the body.
        case close(after: Int)
        /// The connection is reset after so many bytes of the body.
        case reset(after: Int)
        /// Nothing more is sent for some time after so many bytes of the body.
        case stall(after: Int, Duration)
        /// The body comes in small pieces with a pause after each.
        case drip(bytes: Int, every: Duration)
    }

    /// What the server does with the body of the request before it responds.
    package enum Intake: Sendable {
        /// It reads the whole body.
        case whole
        /// It asks for the body with an interim response and reads it.
        case afterContinue
        /// It responds at once, and reads the body only to close the connection in order.
        case afterResponse
        /// It closes the connection without a response after so many bytes.
        case close(after: Int)
    }

    /// How the end of the body is marked.
    package enum Framing: Sendable {
        /// By `Content-Length`, unless the headers already have one.
        case length
        /// By chunked transfer encoding.
        case chunked
        /// By closing the connection.
        case close
    }

    /// The status.
    package var status: Int
    /// Headers by name; a nil value takes away one that would be added.
    package var headers: [String: String?]
    /// The body, which is sent in full unless a fault says otherwise.
    package var body: [UInt8]
    /// How the end of the body is marked.
    package var framing = Framing.length
    /// What goes wrong on the connection.
    package var fault: Fault?
    /// What happens to the body of the request.
    package var intake = Intake.whole

    /// Makes a response.
    package init(status: Int, headers: [String: String?] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The correct response of a static file server: ranges, conditions, tags.
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
