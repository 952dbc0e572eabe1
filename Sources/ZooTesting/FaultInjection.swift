// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// Faults at the system calls with which a program changes the files below one folder.
///
/// `Tests/Support/file-calls.c` counts the calls of all threads in one order, so that a number names one call.
/// strace injects faults as well, but counts the calls of each thread; a test compares the two.
package struct FaultInjection: Sendable {
    /// What happens at a call.
    package enum Fault: Sendable {
        /// SIGKILL before the call.
        case kill
        /// The call and all later ones fail with a value of `errno`, until a file exists.
        case failing(Int32, until: String)
        /// This call alone fails with a value of `errno`.
        case failingOnce(Int32)
    }

    /// The calls that need space on the disk.
    package static let needingSpace = [
        "open", "write", "mkdir", "rename", "link", "fsync", "truncate",
    ]

    private let library: String

    /// Builds the library that counts.
    ///
    /// - Parameter folder: the folder for the library.
    /// - Throws: ``NotBuilt`` with the errors of the compiler, or ``ChildProcess/Missing``.
    package init(in folder: TemporaryFolder) async throws {
        library = folder.path(of: "file-calls.so")
        let source = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Tests/Support/file-calls.c").standardizedFileURL
        let run = try await ProgramRun(
            "cc",
            ["-shared", "-fPIC", "-O1", "-o", library, source.path(), "-ldl"]
        )
        guard run.status == 0 else { throw NotBuilt(description: run.errors) }
    }

    /// The error for a library that does not compile.
    package struct NotBuilt: Error, CustomStringConvertible {
        /// What the compiler wrote.
        package let description: String
    }

    /// The variables of a program whose calls are counted, and disturbed at one of them.
    ///
    /// - Parameters:
    ///   - root: the folder; calls on other files are not counted.
    ///   - log: a file outside the folder, which gets a line for each counted call.
    ///   - calls: the calls to count, by the names in `file-calls.c`; nil for all.
    ///   - number: the number of the call to disturb, from 1 on; nil for none.
    ///   - fault: what happens at it.
    /// - Returns: the variables.
    package func environment(
        below root: String,
        log: String,
        calls: [String]? = nil,
        at number: Int? = nil,
        _ fault: Fault = .kill
    ) -> [String: String] {
        var variables = ["LD_PRELOAD": library, "CALLS_BELOW": root, "CALLS_LOG": log]
        if let calls {
            variables["CALLS_ONLY"] = ",\(calls.joined(separator: ",")),"
        }
        if let number { variables["CALLS_AT"] = "\(number)" }
        switch fault {
        case .kill: break
        case .failing(let code, let file):
            variables["CALLS_ERRNO"] = "\(code)"
            variables["CALLS_UNTIL"] = file
        case .failingOnce(let code):
            variables["CALLS_ERRNO"] = "\(code)"
            variables["CALLS_ONCE"] = "1"
        }
        return variables
    }

    /// The calls that a log lists, each as a name, a space and a path; empty when there is no log.
    ///
    /// - Parameter log: the file.
    /// - Returns: the lines.
    package static func calls(in log: String) -> [String] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// A call without what differs between two runs: the root, digests and unique names.
    ///
    /// - Parameters:
    ///   - call: a line of a log.
    ///   - root: the folder whose calls were counted.
    /// - Returns: such as `rename blobs/sha256/DIGEST`.
    package static func point(_ call: String, below root: String) -> String {
        call.replacing("\(root)/", with: "").replacing(root, with: ".")
            .replacing(#/[0-9a-f]{64}/#, with: "DIGEST")
            .replacing(#/[0-9a-f]{32}/#, with: "UPLOAD")
            .replacing(#/\.[0-9]+-[0-9a-z]+\.tmp/#, with: ".TEMPORARY")
            .replacing(#/[0-9a-f]{12}(\.json)?$/#, with: "DIGEST")
    }

    // MARK: strace

    /// The system calls at which strace kills.
    package static let traced = [
        "pwrite64", "rename", "unlink", "rmdir", "mkdir", "fsync", "fdatasync", "ftruncate",
        "fchmod",
    ]

    /// The arguments with which strace runs a program and kills it before one of its calls.
    ///
    /// - Parameters:
    ///   - call: the system call.
    ///   - number: the number of the call among those of one thread, from 1 on.
    ///   - command: the program and its arguments.
    /// - Returns: the arguments. strace is not the parent of the program, whose exit status is that of the
    ///   command.
    package static func strace(
        killingAt call: String,
        _ number: Int,
        _ command: [String]
    ) -> [String] {
        ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)"]
            + ["-e", "inject=\(call):signal=KILL:when=\(number)", "--"] + command
    }
}

/// How much of a long series of tests runs: a sample, or all of it with `scripts/test --full`.
package enum TestScale {
    /// Whether everything runs: the variable `AMI_ZOO_FULL_TESTS` is set.
    package static let isFull = ProcessInfo.processInfo.environment["AMI_ZOO_FULL_TESTS"] != nil

    /// All elements, or a sample that is the same in every run.
    ///
    /// - Parameters:
    ///   - elements: the elements.
    ///   - count: the size of the sample.
    /// - Returns: the elements, in their order.
    package static func sample<Element>(_ elements: [Element], _ count: Int) -> [Element] {
        guard !isFull, elements.count > count else { return elements }
        // One of each of `count` equal parts, so that the whole run is covered.
        var state: UInt64 = 0x5DEE_CE66
        return (0..<count).map { part in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let range = (part * elements.count / count)..<((part + 1) * elements.count / count)
            return elements[range.lowerBound + Int(state >> 33) % range.count]
        }
    }

    /// A number of repetitions.
    ///
    /// - Parameters:
    ///   - few: the number in a normal run.
    ///   - many: the number with `scripts/test --full`.
    /// - Returns: one of the two.
    package static func count(_ few: Int, full many: Int) -> Int { isFull ? many : few }
}
