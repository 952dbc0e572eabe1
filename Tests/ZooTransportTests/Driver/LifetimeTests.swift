// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#if os(Linux)
import Foundation
import Synchronization
import Testing
import ZooTesting

@testable import ZooTransport

@Suite("The life of a transport", .timeLimit(.minutes(1)))
struct LifetimeTests {
    /// The transfer threads of this process.
    private func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
            let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            return name == "ami-zoo.curl\n"
        }
    }

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    @Test("a thread that was joined has done everything")
    func joining() throws {
        let done = Flag()
        let thread = JoinableThread(name: "test") {
            Thread.sleep(forTimeInterval: 0.05)
            done.isSet.store(true, ordering: .releasing)
        }
        try #require(thread).join()
        let isDone = done.isSet.load(ordering: .acquiring)
        #expect(isDone)
    }

    /// A process that ends while a thread of libcurl ends as well may free the same memory twice.
    @Test("its threads are gone when it is")
    func threadsEnd() async throws {
        let content = ServedContent(Array("{}".utf8))
        try await HostileServer.with { server in
            server.on("/zoo.json", .serving(content))
            for _ in 1...50 {
                do {
                    let transport = HTTPTransport(configuration: .impatient())
                    let request = DocumentRequest(url: server.url("/zoo.json"), limit: 100)
                    async let first = transport.document(request)
                    async let second = transport.document(request)
                    _ = try await (first, second)
                    #expect(try threads() > 0)
                }
                // The system lists a thread for a moment after it has been joined.
                for _ in 1...100 where try threads() > 0 { usleep(100) }
                #expect(try threads() == 0)
            }
        }
    }
}
#endif
