// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Standard output for results, standard error for everything else.
enum Console {
    /// Ignores SIGPIPE, so that a write to a closed pipe fails instead of ending the process.
    ///
    /// The result of a long computation is still written to its file.
    static func outliveReaders() { signal(SIGPIPE, SIG_IGN) }

    /// Prints a result.
    static func print(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: STDOUT_FILENO)
    }

    /// Prints a note to standard error.
    static func note(_ text: String) { write("ami-zoo: \(text)\n", to: STDERR_FILENO) }

    /// Prints text to standard error without a prefix.
    static func raw(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Whether standard error is a terminal.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether there is a person who can answer a question.
    static var canAsk: Bool { isTerminal && isatty(STDIN_FILENO) == 1 }

    /// Whether standard input is a terminal.
    static var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Reads a line of standard input; a terminal does not show what is typed.
    static func secretLine() -> String? {
        guard isInputTerminal else { return readLine() }
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return readLine() }
        var quiet = settings
        quiet.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
        defer {
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            raw("\n")
        }
        return readLine()
    }

    /// Writes without buffering, so that the reader of a pipe sees each line immediately.
    ///
    /// Ignores errors: a closed pipe is not a failure of the command.
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
