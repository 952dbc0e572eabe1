// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore

/// Writes progress to standard error: one updating line on a terminal, JSON lines, or nothing.
final class ProgressChannel: Sendable {
    /// How progress is shown.
    enum Style { case line, events, silent }

    let style: Style
    private let isOpen = Mutex(false)

    init(_ options: OutputOptions) {
        style =
            switch options.progress {
            case .json: .events
            case .none: .silent
            case .auto: Console.isTerminal && !options.quiet ? .line : .silent
            }
    }

    /// The minimum time between two updates of the line.
    static let interval = Duration.milliseconds(100)

    /// Writes one JSON event on a line.
    func event(_ event: JSONValue) {
        Console.raw(String(decoding: event.canonicalBytes, as: UTF8.self) + "\n")
    }

    /// Rewrites the line.
    func line(_ text: String) {
        isOpen.withLock { isOpen in
            Console.raw("\r\u{1B}[K\(text)")
            isOpen = true
        }
    }

    /// Prints a note without breaking the progress line.
    func note(_ text: String) {
        if style == .events {
            event(["event": "note", "message": .string(text)])
        } else {
            close()
            Console.note(text)
        }
    }

    /// Ends the progress line, so that later output starts on a new line.
    func close() {
        isOpen.withLock { isOpen in
            if isOpen { Console.raw("\r\u{1B}[K") }
            isOpen = false
        }
    }
}

extension Duration {
    /// Seconds, with fractions.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension Int {
    /// Seconds as `minutes:seconds`.
    var clockText: String { "\(self / 60):\(self % 60 < 10 ? "0" : "")\(self % 60)" }
}
