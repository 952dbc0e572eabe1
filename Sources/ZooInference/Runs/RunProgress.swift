// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooModels

/// The progress of a run, in steps such as forward passes.
public struct RunProgress: Hashable, Sendable {
    /// Completed steps.
    public let completed: Int
    /// The total number of steps, at least 1.
    public let total: Int
    /// The completed share of the current step, 0 up to but not including 1.
    public let partial: Double

    /// The completed share of the run, 0 to 1.
    public var fraction: Double { min(1, (Double(completed) + partial) / Double(total)) }

    /// Creates a progress value.
    public init(completed: Int, total: Int, partial: Double = 0) {
        self.completed = completed
        self.total = max(total, 1)
        self.partial = min(max(partial, 0), 0.999)
    }
}

/// Counts and reports the steps of a run; layers of a forward pass are fractions of a step.
final class StepCounter: Sendable {
    private let total: Int
    private let completed = Atomic(0)
    private let handler: (@Sendable (RunProgress) -> Void)?

    init(total: Int, _ handler: (@Sendable (RunProgress) -> Void)?) {
        self.total = total
        self.handler = handler
    }

    /// Returns options that report the layers of a forward pass as progress of the current step.
    func forward(_ options: ForwardOptions = ForwardOptions()) -> ForwardOptions {
        guard handler != nil else { return options }
        var options = options
        options.progress = { [self] layers in
            report(partial: Double(layers.completed) / Double(max(layers.total, 1)))
        }
        return options
    }

    /// Adds completed steps.
    func advance(by steps: Int = 1) {
        completed.wrappingAdd(steps, ordering: .relaxed)
        report(partial: 0)
    }

    private func report(partial: Double) {
        handler?(
            RunProgress(
                completed: completed.load(ordering: .relaxed),
                total: total,
                partial: partial
            )
        )
    }
}
