// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A program `docker-credential-NAME` that keeps credentials, for example in a keyring.
///
/// Source: docker/docker-credential-helpers, `credentials/credentials.go`: `get` reads the host from
/// standard input, and prints JSON, or a message with exit status 1.
struct CredentialHelper {
    /// The name without `docker-credential-`.
    let name: String
    /// The folders to look in.
    let folders: [String]
    /// How long the helper may take: it may ask its user to unlock a keyring.
    let patience: Duration

    private static let limit = 64 << 10
    private static let notFound = "credentials not found in native keychain"

    /// The path of the program; nil when it is not installed.
    ///
    /// - Throws: ``ZooError`` with code `login.helper-failed` when the name cannot be part of a path.
    func program() throws(ZooError) -> String? {
        let isName = name.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
        }
        guard isName, !name.isEmpty else {
            throw failure("has a name with characters that no helper has")
        }
        return folders.filter { $0.hasPrefix("/") }.map { "\($0)/docker-credential-\(name)" }
            .first(where: FileManager.default.isExecutableFile)
    }

    /// Asks the helper for the credentials of a key; nil when it has none.
    ///
    /// - Throws: ``ZooError`` with code `login.helper-failed`.
    func credentials(of key: String, from program: String) throws(ZooError) -> RegistryCredentials?
    {
        let (status, answer) = try run(program, key)
        let text = String(decoding: answer, as: UTF8.self)
        guard status == 0 else {
            guard text.contains(Self.notFound) else {
                throw failure("failed")
            }
            return nil
        }
        // The answer may hold a secret, so no message shows it.
        guard let object = try? JSONObject(try JSONValue(parsing: answer)),
            let user = try? object.string("Username", maximum: 4096),
            let secret = try? object.string("Secret", maximum: Self.limit)
        else { throw failure("did not answer with a user name and a secret") }
        return RegistryCredentials(user: user, secret: secret)
    }

    /// Runs the helper to its end.
    ///
    /// Not with Foundation's `Process`, which waits for what the helper leaves running, too.
    private func run(
        _ program: String,
        _ key: String
    ) throws(ZooError) -> (status: Int32, answer: [UInt8]) {
        let (input, output) = (Pipe(), Pipe())
        // Before the start: a helper that reads nothing cannot end this program with SIGPIPE.
        guard (try? input.fileHandleForWriting.write(contentsOf: Data("\(key)\n".utf8))) != nil,
            (try? input.fileHandleForWriting.close()) != nil,
            let process = spawn(
                program,
                input.fileHandleForReading.fileDescriptor,
                output.fileHandleForWriting.fileDescriptor
            )
        else { throw failure("cannot be run") }
        defer { withExtendedLifetime((input, output)) {} }
        return try finish(process, output.fileHandleForReading.fileDescriptor)
    }

    /// Starts the helper in a process group of its own; nil when that fails.
    private func spawn(_ program: String, _ input: Int32, _ output: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var arguments = unsafe [strdup(program), strdup("get"), nil]
        var variables = unsafe ProcessInfo.processInfo.environment.map { name, value in
            unsafe strdup("\(name)=\(value)")
        }
        unsafe variables.append(nil)
        defer {
            unsafe (arguments + variables).forEach { unsafe free($0) }
        }
        var process = pid_t()
        let failed = unsafe posix_spawn(
            &process,
            program,
            &actions,
            &attributes,
            &arguments,
            &variables
        )
        return failed == 0 ? process : nil
    }

    /// Reads what the helper prints until it ends; the pipe may stay open in other processes.
    private func finish(
        _ process: pid_t,
        _ descriptor: Int32
    ) throws(ZooError) -> (status: Int32, answer: [UInt8]) {
        let end = ContinuousClock.now + patience
        var answer: [UInt8] = []
        var status: Int32 = 0
        while true {
            let hasEnded = unsafe waitpid(process, &status, WNOHANG) == process
            while let piece = readPiece(descriptor, wait: hasEnded ? 0 : 20) {
                answer += piece
                guard answer.count <= Self.limit else { break }
            }
            if hasEnded, answer.count <= Self.limit { return (status, answer) }
            guard answer.count <= Self.limit, ContinuousClock.now < end else {
                kill(-process, SIGKILL)
                if !hasEnded { unsafe waitpid(process, &status, 0) }
                throw failure("did not end in time, or printed more than 64 KiB")
            }
        }
    }

    /// Reads what is in a pipe; nil when nothing comes for some milliseconds.
    private func readPiece(_ descriptor: Int32, wait: Int32) -> ArraySlice<UInt8>? {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&request, 1, wait) > 0 else { return nil }
        var piece = [UInt8](repeating: 0, count: 4096)
        let count = unsafe piece.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        return count > 0 ? piece.prefix(count) : nil
    }

    private func failure(_ what: String) -> ZooError {
        ZooError(
            .helperFailed,
            "the credential helper 'docker-credential-\(name.prefix(80))' \(what)",
            remedy:
                "correct 'credHelpers' or 'credsStore' in the configuration of Docker or Podman, or "
                + "store the token with 'ami-zoo login'"
        )
    }

    /// The error for a helper that is named for a registry and is not installed.
    var missing: ZooError { failure("is not in PATH") }
}
