// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooTesting

/// What a program that ran to its end left behind.
struct CommandResult: Sendable {
    let status: Int32
    let output: [UInt8]

    var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a program and collects what it writes to its standard output.
func command(_ arguments: String...) async throws -> CommandResult {
    try await command(arguments)
}

func command(_ arguments: [String]) async throws -> CommandResult {
    let run = try await ProgramRun(arguments[0], Array(arguments.dropFirst()))
    return CommandResult(status: run.status, output: run.outputBytes)
}

/// An HTTP response as `curl -i` prints it.
struct Reply: Sendable {
    let status: Int
    let fields: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The first final response in `bytes`; nil when there is none.
    init?(_ bytes: [UInt8]) {
        var bytes = bytes[...]
        // The invitation to send a body comes before the response.
        while bytes.starts(with: Array("HTTP/1.1 100".utf8)),
            let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))
        {
            bytes = bytes[end.upperBound...]
        }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[bytes.startIndex..<end.lowerBound], as: UTF8.self)
        let lines = head.components(separatedBy: "\r\n")
        guard let code = lines[0].split(separator: " ").dropFirst().first, let code = Int(code)
        else { return nil }
        status = code
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            fields[line[..<colon].lowercased()] =
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        self.fields = fields
        body = Array(bytes[end.upperBound...])
    }
}

struct NoReply: Error {
    let arguments: [String]
    let result: CommandResult
}

/// Asks with `curl -i`, which sends a path as it is written.
func curl(_ arguments: String...) async throws -> Reply { try await curl(arguments) }

func curl(_ arguments: [String]) async throws -> Reply {
    let all = ["curl", "-q", "-s", "-i", "--path-as-is", "--max-time", "10"] + arguments
    let result = try await command(all)
    guard let reply = Reply(result.output) else {
        throw NoReply(arguments: all, result: result)
    }
    return reply
}

/// Sends `request` as it is and returns all that comes until the server closes.
///
/// The status is 9, a signal, when the server has not closed within five seconds.
func raw(_ request: String, to url: String) async throws -> CommandResult {
    try await raw(Array(request.utf8), to: url)
}

func raw(_ request: [UInt8], to url: String) async throws -> CommandResult {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(request).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await command(
        "timeout",
        "5",
        "bash",
        "-c",
        #"exec 3<>"/dev/tcp/127.0.0.1/$0"; cat "$1" >&3; cat <&3"#,
        port(of: url),
        file.path
    )
}

/// The port of a URL as the server reports it.
func port(of url: String) -> String { url.split(separator: ":").last.map(String.init) ?? "" }
