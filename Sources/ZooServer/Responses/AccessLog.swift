// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Logging

/// The access log: one line per request at level info.
struct AccessLog: Sendable {
    /// A request in progress.
    struct Entry: Sendable {
        fileprivate let method: String
        fileprivate let path: String
        fileprivate let range: String?
        fileprivate let peer: String
        fileprivate let kind: ServerMetrics.RequestKind
        fileprivate let start = ContinuousClock.now

        /// Creates an entry for a request that just arrived from `peer`.
        init(_ request: HTTPRequest, from peer: String) {
            method = printable(request.method.rawValue)
            path = printable(request.path ?? "")
            range = request.headerFields[.range].map(printable)
            self.peer = peer
            kind = ServerMetrics.RequestKind(request)
        }
    }

    /// The logger that receives the lines.
    let logger: Logger
    /// What counts the requests.
    let metrics: ServerMetrics

    /// Logs and counts a request.
    ///
    /// - Parameters:
    ///   - entry: the request.
    ///   - status: the status of the response.
    ///   - sent: the number of body bytes written to the connection.
    ///   - failure: why the body was not sent completely; nil when it was.
    func record(
        _ entry: Entry,
        status: HTTPResponse.Status,
        sent: Int,
        failure: (any Error)? = nil
    ) {
        let elapsed = ContinuousClock.now - entry.start
        metrics.record(entry.kind, status, elapsed)
        var metadata: Logger.Metadata = [
            "bytes": "\(sent)", "peer": "\(entry.peer)",
            "microseconds": "\(Int(elapsed / .microseconds(1)))",
        ]
        if let range = entry.range { metadata["range"] = "\(range)" }
        if let failure { metadata["aborted"] = "\(failure)" }
        logger.info("\(entry.method) \(entry.path) \(status.code)", metadata: metadata)
    }

    /// Logs a file that cannot be read.
    func failure(_ error: any Error) { logger.error("\(error)") }
}

/// Truncates text from a client and replaces characters that could forge log lines.
private func printable(_ text: String) -> String {
    String(
        text.unicodeScalars.prefix(256).map { scalar in
            (" "..."~").contains(scalar) ? Character(scalar) : "?"
        }
    )
}
