// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HTTPTypes
internal import Logging

/// One line per request, at info level.
struct AccessLog: Sendable {
    /// A request that is being answered.
    struct Entry: Sendable {
        fileprivate let method: String
        fileprivate let path: String
        fileprivate let range: String?
        fileprivate let peer: String
        fileprivate let start = ContinuousClock.now

        /// A request from `peer` that has just arrived.
        init(_ request: HTTPRequest, from peer: String) {
            method = printable(request.method.rawValue)
            path = printable(request.path ?? "")
            range = request.headerFields[.range].map(printable)
            self.peer = peer
        }
    }

    /// Where lines go.
    let logger: Logger

    /// Writes the line of a request.
    ///
    /// - Parameters:
    ///   - entry: the request.
    ///   - status: what was answered.
    ///   - sent: how many bytes of body the connection took.
    ///   - failure: why the body was not sent to its end, if it was not.
    func record(
        _ entry: Entry,
        status: HTTPResponse.Status,
        sent: Int,
        failure: (any Error)? = nil
    ) {
        let elapsed = ContinuousClock.now - entry.start
        var metadata: Logger.Metadata = [
            "bytes": "\(sent)", "peer": "\(entry.peer)",
            "microseconds": "\(Int(elapsed / .microseconds(1)))",
        ]
        if let range = entry.range { metadata["range"] = "\(range)" }
        if let failure { metadata["aborted"] = "\(failure)" }
        logger.info("\(entry.method) \(entry.path) \(status.code)", metadata: metadata)
    }

    /// Writes a line about a file that should have been readable.
    func failure(_ error: any Error) { logger.error("\(error)") }
}

/// What a client sent, shortened and without anything that could end or disguise a line.
private func printable(_ text: String) -> String {
    String(
        text.unicodeScalars.prefix(256).map { scalar in
            (" "..."~").contains(scalar) ? Character(scalar) : "?"
        }
    )
}
