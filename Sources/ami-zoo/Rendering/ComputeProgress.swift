// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooModels

/// Shows how far a computation is, with the time it still takes, once it has lasted two seconds.
final class ComputeProgress: Sendable {
    private struct State {
        var completed = 0
        var total: Int
        var shown: ContinuousClock.Instant?
    }

    private let channel: ProgressChannel
    private let stage: String
    private let state: Mutex<State>
    private let started = ContinuousClock.now

    /// Nothing is shown of what takes less.
    private static let patience = Duration.seconds(2)

    /// - Parameters:
    ///   - options: how progress is to be shown.
    ///   - stage: what is being done, such as `encode`.
    ///   - total: the number of steps, such as forward passes.
    init(_ options: OutputOptions, stage: String, total: Int) {
        channel = ProgressChannel(options)
        self.stage = stage
        state = Mutex(State(total: max(total, 1)))
    }

    /// Options of a forward pass that is one of the steps: layers are shown as fractions of it.
    func forward(_ options: ForwardOptions = ForwardOptions()) -> ForwardOptions {
        var options = options
        options.progress = { [self] layers in
            show(within: Double(layers.completed) / Double(max(layers.total, 1)))
        }
        return options
    }

    /// Says that a step is done.
    func advance() {
        state.withLock { $0.completed += 1 }
        show(within: 0)
    }

    /// Says how many steps are done of how many.
    func update(_ completed: Int, of total: Int) {
        state.withLock { ($0.completed, $0.total) = (completed, max(total, 1)) }
        show(within: 0)
    }

    /// Shows a remark without breaking the line.
    func note(_ text: String) { channel.note(text) }

    /// Ends the line.
    func close() { channel.close() }

    private func show(within step: Double) {
        let now = ContinuousClock.now
        guard channel.style != .silent, now - started >= Self.patience else { return }
        let fraction = state.withLock { state -> Double? in
            if let shown = state.shown, now - shown < ProgressChannel.interval { return nil }
            state.shown = now
            return min(1, (Double(state.completed) + min(step, 0.999)) / Double(state.total))
        }
        guard let fraction else { return }
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
