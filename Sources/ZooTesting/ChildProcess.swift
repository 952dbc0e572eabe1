// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A child process of a test.
///
/// Not Foundation's `Process`: on Linux its `run()` lists `/proc/self/fd` and copies a whole `dirent`
/// from the place of each entry, which reads past the end of the buffer and ends the tests with SIGSEGV
/// once in some thousand runs (swift-corelibs-foundation, `Sources/Foundation/Process.swift`).
/// Its children also inherit the signals that Swift's threads block, which include SIGTERM.
package struct ChildProcess: Sendable {
    private let identifier: pid_t
    private let isOver: Ended
    private let exit: AsyncStream<Int32>

    /// Starts a program, with no input and no open file of the tests.
    ///
    /// - Parameters:
    ///   - program: A path with a slash, or a name that is searched in `PATH` and in the `sbin` folders
    ///     where Debian installs daemons.
    ///   - arguments: The arguments.
    ///   - environment: Variables added to the environment of the tests.
    ///   - output: The file for standard output; nil discards it.
    ///   - errors: The file for standard error; nil discards it.
    /// - Throws: ``Missing`` when the program does not exist; ``NotStarted``.
    package init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        output: String? = nil,
        errors: String? = nil
    ) throws {
        let path = try Self.find(program)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let child = try Self.spawn(
            path,
            [program] + arguments,
            variables.map { "\($0)=\($1)" },
            files: ["/dev/null", output ?? "/dev/null", errors ?? "/dev/null"]
        )
        let (exit, continuation) = AsyncStream.makeStream(of: Int32.self)
        let isOver = Ended()
        // A thread of its own: waiting on one of the pool that all tests share, twice, would deadlock
        // the tests on a small machine.
        Thread.detachNewThread {
            continuation.yield(isOver.wait(for: child))
            continuation.finish()
        }
        identifier = child
        self.isOver = isOver
        self.exit = exit
    }

    /// The error for a program that is not installed; the test fails and is not skipped.
    package struct Missing: Error, CustomStringConvertible {
        /// The name of the program.
        package let name: String

        /// The message with a remedy.
        package var description: String { "\(name) is not installed; run scripts/setup --test" }
    }

    /// The error for a program that cannot be started.
    package struct NotStarted: Error, CustomStringConvertible {
        /// The path of the program.
        package let path: String
        /// The value of `errno`.
        package let code: Int32

        /// The message of the system.
        package var description: String {
            "cannot start \(path): \(unsafe String(cString: strerror(code)))"
        }
    }

    /// Whether the program is running.
    package var isRunning: Bool { !isOver.value }

    /// The memory of the program that is in RAM, in bytes.
    ///
    /// - Throws: when the program has exited, or the system has no `/proc`.
    package func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    /// Waits until the program exits; may be called only once.
    ///
    /// - Returns: the exit status, or 128 plus the number of the signal that ended the program.
    package func status() async -> Int32 {
        for await status in exit { return status }
        return -1
    }

    /// Sends a signal, if the program is running.
    package func signal(_ number: Int32) { isOver.signal(number, to: identifier) }

    /// Kills the program with SIGKILL and waits until it has exited.
    package func kill() async {
        signal(SIGKILL)
        _ = await status()
    }

    /// Starts a program whose standard files are `files`, the first of which is read.
    private static func spawn(
        _ path: String,
        _ arguments: [String],
        _ variables: [String],
        files: [String]
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        for (descriptor, file) in files.enumerated() {
            let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC
            unsafe posix_spawn_file_actions_addopen(&actions, Int32(descriptor), file, flags, 0o644)
        }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        #if canImport(Darwin)
        flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
        // A number that is not open is no error to glibc; `addclosefrom_np` is hidden from Swift.
        for descriptor in Int32(files.count)..<1024 {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        #endif
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        var argumentPointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var variablePointers = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argumentPointers + variablePointers).forEach { unsafe free($0) } }
        var child = pid_t()
        let code = unsafe posix_spawn(
            &child,
            path,
            &actions,
            &attributes,
            &argumentPointers,
            &variablePointers
        )
        guard code == 0 else { throw NotStarted(path: path, code: code) }
        return child
    }

    private static func find(_ name: String) throws -> String {
        guard !name.contains("/") else { return name }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        let candidates = folders.map { "\($0)/\(name)" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(name: name)
        }
        return found
    }
}

/// Whether a child process has ended; until it has, its number is not another's.
private final class Ended: Sendable {
    private let state = Mutex(false)

    var value: Bool { state.withLock { $0 } }

    func signal(_ number: Int32, to child: pid_t) {
        state.withLock { isOver in
            if !isOver { _ = kill(child, number) }
        }
    }

    /// Waits until the process has ended.
    ///
    /// - Returns: the exit status; like a shell, 128 plus the number of the signal that ended it.
    func wait(for child: pid_t) -> Int32 {
        var information = unsafe siginfo_t()
        // Leaves the process a zombie, so that its number stays taken until no signal can follow.
        while unsafe waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) != 0,
            errno == EINTR
        {}
        var status: Int32 = 0
        state.withLock { isOver in
            while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
            isOver = true
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
