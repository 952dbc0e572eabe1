// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CoreMetrics
internal import HTTPTypes

/// What a server counts.
///
/// Dimensions have few values, whatever clients send: never a path, a name or a method as it was sent.
struct ServerMetrics: Sendable {
    /// What a request is counted as.
    struct RequestKind: Sendable {
        /// `read`, `write`, `delete` or `other`.
        let method: String
        /// Whether it sends a manifest.
        let isPublication: Bool

        /// Classifies a request.
        init(_ request: HTTPRequest) {
            switch request.method {
            case .get, .head: method = "read"
            case .post, .put, .patch: method = "write"
            case .delete: method = "delete"
            default: method = "other"
            }
            guard request.method == .put,
                let path = RequestTarget(parsing: request.path ?? "")?.path,
                path.hasPrefix("/v2/"), case .manifest? = try? OCIResource(path: path)
            else {
                isPublication = false
                return
            }
            isPublication = true
        }
    }

    /// The labels of the metrics.
    private enum Label: String, CaseIterable {
        case requests = "ami_zoo_http_requests_total"
        case seconds = "ami_zoo_http_request_seconds"
        case received = "ami_zoo_http_received_bytes_total"
        case sent = "ami_zoo_http_sent_bytes_total"
        case publications = "ami_zoo_publications_total"
        case uploads = "ami_zoo_uploads_incomplete"

        var help: String {
            switch self {
            case .requests: "Requests that were answered, by kind of method and by status."
            case .seconds: "Seconds from the header of a request to the last byte of its response."
            case .received: "Bytes that clients sent, with header fields, without TLS."
            case .sent: "Bytes that were sent to clients, with header fields, without TLS."
            case .publications: "Manifests that were sent: accepted, refused, or failed (5xx)."
            case .uploads: "Uploads that are not complete."
            }
        }
    }

    private let factory = PrometheusFactory(
        help: Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0.rawValue, $0.help) })
    )
    private let received: Counter
    private let sent: Counter

    /// Creates metrics that are 0.
    init() {
        received = Counter(label: Label.received.rawValue, factory: factory)
        sent = Counter(label: Label.sent.rawValue, factory: factory)
        // A series that appears with its first event has no increase over it.
        for result in ["accepted", "refused", "failed"] { _ = publications(result) }
    }

    /// Counts bytes from a client.
    func receive(_ bytes: Int) { received.increment(by: bytes) }

    /// Counts bytes to a client.
    func send(_ bytes: Int) { sent.increment(by: bytes) }

    /// Counts a request that was answered.
    func record(_ kind: RequestKind, _ status: HTTPResponse.Status, _ elapsed: Duration) {
        Counter(
            label: Label.requests.rawValue,
            dimensions: [("method", kind.method), ("status", "\(status.code)")],
            factory: factory
        ).increment()
        Timer(
            label: Label.seconds.rawValue,
            dimensions: [("method", kind.method)],
            factory: factory
        ).recordNanoseconds(Int64(elapsed / .nanoseconds(1)))
        guard kind.isPublication else { return }
        switch status.kind {
        case .successful: publications("accepted").increment()
        case .serverError: publications("failed").increment()
        default: publications("refused").increment()
        }
    }

    private func publications(_ result: String) -> Counter {
        Counter(
            label: Label.publications.rawValue,
            dimensions: [("result", result)],
            factory: factory
        )
    }

    /// The page for Prometheus, with the number of uploads that are not complete.
    func text(uploads: Int) -> String {
        Meter(label: Label.uploads.rawValue, factory: factory).set(uploads)
        return factory.text
    }
}
