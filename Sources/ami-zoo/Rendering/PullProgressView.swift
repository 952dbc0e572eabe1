// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooClient
internal import ZooCore

/// Shows the progress of a pull on standard error: one updating line or JSON lines.
final class PullProgressView: Sendable {
    private struct State {
        var started = ContinuousClock.now
        var shown: ContinuousClock.Instant?
        var firstDone: Int?
    }

    private let state = Mutex(State())
    private let channel: ProgressChannel
    private let isVerbose: Bool

    init(_ options: OutputOptions) {
        isVerbose = options.verbose
        channel = ProgressChannel(options)
    }

    func show(_ event: PullEvent) {
        switch channel.style {
        case .events: channel.event(Self.json(event))
        case .line: draw(event)
        case .silent:
            switch event {
            case .damaged(let text), .note(let text): Console.note(text)
            default: break
            }
            if isVerbose, case .resolved(let name, let version, let digest) = event {
                Console.note("\(name):\(version) is \(digest)")
            }
        }
    }

    /// Prints a note without breaking the progress line.
    func note(_ text: String) { channel.note(text) }

    /// Ends the progress line, so that later output starts on a new line.
    func close() { channel.close() }

    private func draw(_ event: PullEvent) {
        switch event {
        case .resolved(let name, let version, _): channel.line("\(name):\(version)")
        case .waiting: channel.line("waiting for another pull of the same release")
        case .damaged(let text), .note(let text): note(text)
        case .finishing: channel.line("writing to disk")
        case .progress(let progress):
            let text = state.withLock { state -> String? in
                let now = ContinuousClock.now
                if let shown = state.shown, now - shown < ProgressChannel.interval,
                    progress.done < progress.total
                {
                    return nil
                }
                let first = state.firstDone ?? progress.done
                if state.firstDone == nil { state.started = now }
                state.firstDone = first
                state.shown = now
                return Self.text(progress, since: first, after: now - state.started)
            }
            if let text { channel.line(text) }
        }
    }

    private static func text(
        _ progress: PullEvent.Progress,
        since first: Int,
        after time: Duration
    ) -> String {
        let percent = progress.total == 0 ? 100 : progress.done * 100 / progress.total
        var text = "\(percent)%  \(ByteCount(progress.done)) of \(ByteCount(progress.total))"
        let seconds = time.inSeconds
        let rate = Double(progress.done - first) / max(seconds, 0.001)
        if seconds > 0.3, rate > 0 {
            let left = Int(Double(progress.total - progress.done) / rate)
            text += "  \(ByteCount(Int(rate)))/s  \(left.clockText)"
        }
        return text
    }

    private static func json(_ event: PullEvent) -> JSONValue {
        switch event {
        case .resolved(let name, let version, let digest):
            [
                "event": "resolved", "reference": .string("\(name):\(version)"),
                "digest": .string(digest.description),
            ]
        case .waiting: ["event": "waiting"]
        case .damaged(let text): ["event": "damaged", "message": .string(text)]
        case .note(let text): ["event": "note", "message": .string(text)]
        case .finishing: ["event": "finishing"]
        case .progress(let progress):
            [
                "event": "progress", "bytesDone": .integer(progress.done),
                "bytesTotal": .integer(progress.total), "bytesReused": .integer(progress.reused),
            ]
        }
    }
}
