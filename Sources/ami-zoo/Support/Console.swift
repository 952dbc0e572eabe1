// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Standard output for results, standard error for everything else.
enum Console {
    /// Lets writes to a pipe that nobody reads any more fail, where they would end the process: what was
    /// computed for long is still written to its file.
    static func outliveReaders() { signal(SIGPIPE, SIG_IGN) }

    /// Prints a result.
    static func print(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: STDOUT_FILENO)
    }

    /// Prints a remark.
    static func note(_ text: String) { write("ami-zoo: \(text)\n", to: STDERR_FILENO) }

    /// Prints to standard error as it is.
    static func raw(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Whether a person sees standard error.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes at once, so that a reader of a pipe sees each line when it is written.
    ///
    /// A reader that went away is no failure of ours.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
                #else
                unsafe Darwin.write(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
