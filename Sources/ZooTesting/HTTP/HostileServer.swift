// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization

/// A scripted HTTP/1.1 server on loopback that can violate the protocol.
///
/// It runs on its own threads while a closure runs, and records every request. Paths without a
/// behaviour answer 404.
///
/// ```swift
/// try await HostileServer.with { server in
///     server.on("/blob", .status(503), .serving(content))     // 503 once, then the content
///     let reply = try await transport.document(…)
///     #expect(server.requests(for: "/blob").count == 2)
/// }
/// ```
package final class HostileServer: Sendable {
    private struct State {
        var behaviours: [String: [Behaviour]] = [:]
        var folder: String?
        var requests: [RecordedRequest] = []
        var connections = 0
    }

    /// The port on 127.0.0.1.
    package let port: Int
    private let state = Mutex(State())
    private let isStopped = Atomic(false)
    private let threads = DispatchGroup()

    /// Runs `body` with a server and stops the server before it returns.
    package static func with<Result>(
        _ body: (HostileServer) async throws -> Result
    ) async throws -> Result {
        let server = try HostileServer()
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        await server.stop()
        return try result.get()
    }

    private init() throws {
        let listener = try LoopbackSocket.listening()
        port = listener.port
        start(listener) { server, listener in server.acceptConnections(on: listener) }
    }

    // MARK: Script

    /// The URL of a path on this server; `host` may be another name for loopback.
    package func url(_ path: String, host: String = "127.0.0.1") -> String {
        "http://\(host):\(port)\(path)"
    }

    /// Sets the behaviours for a path: the n-th request gets the n-th, later requests the last.
    package func on(_ path: String, _ behaviours: Behaviour...) { on(path, behaviours) }

    /// Sets the behaviours for a path; see the variadic overload.
    package func on(_ path: String, _ behaviours: [Behaviour]) {
        state.withLock { $0.behaviours[path] = behaviours }
    }

    /// Serves the files of a folder at every path without a behaviour.
    package func serve(folder: String) { state.withLock { $0.folder = folder } }

    // MARK: Record

    /// All requests in order of arrival.
    package var requests: [RecordedRequest] { state.withLock { $0.requests } }

    /// The requests for one path.
    package func requests(for path: String) -> [RecordedRequest] {
        requests.filter { $0.path == path }
    }

    /// Clears the recorded requests and restarts the behaviours.
    package func forgetRequests() { state.withLock { $0.requests = [] } }
}

// MARK: - Threads

extension HostileServer {
    /// The interval in milliseconds at which waiting threads check whether the server is stopping.
    private static let turn: Int32 = 10

    /// Serves a socket on a new thread.
    private func start(
        _ socket: consuming LoopbackSocket,
        _ work: @escaping @Sendable (HostileServer, borrowing LoopbackSocket) -> Void
    ) {
        // An escaping closure cannot consume a captured value, so the socket is taken from a box.
        let box = Mutex<LoopbackSocket?>(socket)
        threads.enter()
        Thread.detachNewThread {
            if let socket = box.withLock({ $0.take() }) { work(self, socket) }
            self.threads.leave()
        }
    }

    private func stop() async {
        isStopped.store(true, ordering: .releasing)
        await withCheckedContinuation { continuation in
            threads.notify(queue: .global()) { continuation.resume() }
        }
    }

    private func acceptConnections(on listener: borrowing LoopbackSocket) {
        while !isStopped.load(ordering: .acquiring) {
            guard let connection = listener.accept(within: Self.turn) else { continue }
            let number = state.withLock { state in
                defer { state.connections += 1 }
                return state.connections
            }
            start(connection) { server, connection in server.converse(on: connection, number) }
        }
    }

    private func converse(on connection: borrowing LoopbackSocket, _ number: Int) {
        var unread: [UInt8] = []
        while let (request, index) = nextRequest(on: connection, number, &unread) {
            let response = behaviour(for: request).respond(request)
            switch response.intake {
            case .whole:
                guard takeBody(of: request, index, on: connection, &unread) else { return }
            case .afterContinue:
                guard connection.send("HTTP/1.1 100 Continue\r\n\r\n".utf8),
                    takeBody(of: request, index, on: connection, &unread)
                else { return }
            case .afterResponse:
                _ = answer(request, with: response, on: connection)
                _ = takeBody(of: request, index, on: connection, &unread)
                return
            case .close(let count):
                _ = takeBody(of: request, index, upTo: count, on: connection, &unread)
                return
            }
            guard answer(request, with: response, on: connection) else { return }
        }
    }

    private func nextRequest(
        on connection: borrowing LoopbackSocket,
        _ number: Int,
        _ unread: inout [UInt8]
    ) -> (request: RecordedRequest, index: Int)? {
        let separator = Array("\r\n\r\n".utf8)
        var end = unread.firstRange(of: separator)
        while end == nil {
            guard waitForBytes(on: connection) else { return nil }
            let more = connection.receive()
            guard !more.isEmpty else { return nil }
            unread += more
            end = unread.firstRange(of: separator)
        }
        guard let end else { return nil }
        let lines = String(decoding: unread[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\r\n")
        unread.removeFirst(end.upperBound)
        return state.withLock { state in
            let request = RecordedRequest(lines: lines, connection: number) { path in
                state.requests.count { $0.path == path }
            }
            guard let request else { return nil }
            state.requests.append(request)
            return (request, state.requests.count - 1)
        }
    }

    /// Reads the body of a request into its record; false when the connection closes early.
    private func takeBody(
        of request: RecordedRequest,
        _ index: Int,
        upTo limit: Int = .max,
        on connection: borrowing LoopbackSocket,
        _ unread: inout [UInt8]
    ) -> Bool {
        let size = min(request.bodySize, limit)
        while unread.count < size {
            guard waitForBytes(on: connection) else { return false }
            let more = connection.receive()
            guard !more.isEmpty else { return false }
            unread += more
        }
        let body = Array(unread.prefix(size))
        unread.removeFirst(size)
        state.withLock { state in
            // The test may have cleared the recorded requests.
            if state.requests.indices.contains(index) { state.requests[index].body = body }
        }
        return true
    }

    private func waitForBytes(on connection: borrowing LoopbackSocket) -> Bool {
        while !connection.isReadable(within: Self.turn) {
            if isStopped.load(ordering: .acquiring) { return false }
        }
        return true
    }

    private func behaviour(for request: RecordedRequest) -> Behaviour {
        let (list, folder) = state.withLock { ($0.behaviours[request.path] ?? [], $0.folder) }
        if let last = list.last { return request.count < list.count ? list[request.count] : last }
        // A missing file answers 404.
        if let folder, !request.path.contains(".."),
            let content = try? ServedContent(file: folder + request.path)
        {
            return .serving(content)
        }
        return .status(404)
    }

    /// Sends a response; false when the connection must be closed afterwards.
    private func answer(
        _ request: RecordedRequest,
        with response: ScriptedResponse,
        on connection: borrowing LoopbackSocket
    ) -> Bool {
        guard connection.send(response.head.utf8) else { return false }
        if request.method == "HEAD" { return true }
        let isChunked = if case .chunked = response.framing { true } else { false }
        func send(_ part: ArraySlice<UInt8>) -> Bool {
            guard isChunked, !part.isEmpty else { return connection.send(part) }
            let size = Array("\(String(part.count, radix: 16))\r\n".utf8)
            return connection.send(size + part + Array("\r\n".utf8))
        }
        let body = response.body
        switch response.fault {
        case nil:
            guard send(body[...]) else { return false }
        case .close(let count):
            _ = send(body.prefix(count))
            return false
        case .reset(let count):
            _ = send(body.prefix(count))
            // A reset discards bytes that the client has not read yet.
            pause(.milliseconds(50))
            connection.armReset()
            return false
        case .stall(let count, let duration):
            guard send(body.prefix(count)), pause(duration) else { return false }
            guard send(body.dropFirst(count)) else { return false }
        case .drip(let count, let interval):
            var rest = body[...]
            while !rest.isEmpty {
                guard send(rest.prefix(count)), pause(interval) else { return false }
                rest = rest.dropFirst(count)
            }
        }
        if isChunked { return connection.send("0\r\n\r\n".utf8) }
        if case .close = response.framing { return false }
        return true
    }

    /// Sleeps; false when the server is stopping.
    @discardableResult
    private func pause(_ duration: Duration) -> Bool {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            if isStopped.load(ordering: .acquiring) { return false }
            usleep(2000)
        }
        return true
    }
}
