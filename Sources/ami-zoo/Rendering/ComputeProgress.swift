// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooInference
internal import ZooModels

/// Shows the progress and the remaining time of a computation that takes longer than two seconds.
final class ComputeProgress: Sendable {
    private let channel: ProgressChannel
    private let stage: String
    private let shown = Mutex<ContinuousClock.Instant?>(nil)
    private let started = ContinuousClock.now

    /// The time before progress is first shown.
    private static let patience = Duration.seconds(2)

    /// - Parameters:
    ///   - options: how to show progress.
    ///   - stage: the name of the current step, such as `encode`.
    init(_ options: OutputOptions, stage: String) {
        channel = ProgressChannel(options)
        self.stage = stage
    }

    /// Options for a single forward pass, whose progress is the fraction of its completed layers.
    func forward() -> ForwardOptions {
        ForwardOptions(progress: { [self] in
            show(
                RunProgress(
                    completed: 0,
                    total: 1,
                    partial: Double($0.completed) / Double(max($0.total, 1))
                )
            )
        })
    }

    /// Shows the number of completed steps out of `total`.
    func update(_ completed: Int, of total: Int) {
        show(RunProgress(completed: completed, total: total))
    }

    /// Prints a note without breaking the progress line.
    func note(_ text: String) {
        ResultNotes.add(text)
        channel.note(text)
    }

    /// Ends the progress line.
    func close() { channel.close() }

    /// Shows progress, at most once per interval.
    func show(_ progress: RunProgress) {
        let now = ContinuousClock.now
        guard channel.style != .silent, now - started >= Self.patience else { return }
        let isDue = shown.withLock { last -> Bool in
            if let last, now - last < ProgressChannel.interval { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let fraction = progress.fraction
        let time = (now - started).inSeconds
        let left = fraction > 0 ? Int((time / fraction - time).rounded(.up)) : nil
        if channel.style == .events {
            var event: [String: JSONValue] = [
                "event": "progress", "stage": .string(stage),
                "fraction": .number((fraction * 1000).rounded() / 1000),
            ]
            if let left { event["secondsLeft"] = .integer(left) }
            channel.event(.object(event))
        } else {
            channel.line(
                "\(stage)  \(Int(fraction * 100))%" + (left.map { "  \($0.clockText) left" } ?? "")
            )
        }
    }
}
