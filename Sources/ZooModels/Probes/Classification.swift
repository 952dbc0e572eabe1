// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
public import ZooTensor

/// The class scores of videos.
public struct Classification: Sendable {
    /// The scores of one head.
    public struct Head: Sendable {
        /// The classes.
        public let classes: ProbeClasses
        /// The logits, [videos, views, classes].
        public let logits: Tensor
        /// The softmax of the logits, averaged over the views, [videos, classes].
        ///
        /// For anticipation it is the logistic function instead of the softmax, because the classes
        /// are not mutually exclusive.
        public let probabilities: Tensor

        /// Returns the most probable classes of a video, best first; ties are in order of the
        /// index.
        public func top(_ count: Int, ofVideo video: Int = 0) -> [ClassScore] {
            let all = probabilities.values[video * classes.count..<(video + 1) * classes.count]
            return all.enumerated()
                .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
                .prefix(count)
                .map { index, probability in
                    ClassScore(
                        index: index,
                        label: classes.labels.isEmpty ? nil : classes.labels[index],
                        probability: probability
                    )
                }
        }
    }

    /// One head, or the heads of verbs, nouns and actions.
    public let heads: [Head]

    /// Returns the head with a name: `logits`, `verb`, `noun` or `action`.
    public func head(_ name: String) -> Head? { heads.first { $0.classes.name == name } }
}

/// The probability of a class.
public struct ClassScore: Hashable, Sendable {
    /// The index of the class, from 0.
    public let index: Int
    /// The name of the class, if it is known.
    public let label: String?
    /// The probability, from 0 to 1.
    public let probability: Float
}

extension Classification.Head {
    /// Computes the scores of videos from logits [videos · views, classes].
    ///
    /// Source: facebookresearch/vjepa2 `evals/video_classification_frozen/eval.py` (softmax of each
    /// view, then the mean), `evals/action_anticipation_frozen/metrics.py` (logistic function).
    init(_ classes: ProbeClasses, logits: [Tensor], videos: Int, isExclusive: Bool) {
        let (count, views) = (classes.count, logits.count / videos)
        var probabilities = [Double](repeating: 0, count: videos * count)
        for (index, row) in logits.enumerated() {
            let row = row.values.map { Double($0) }
            let greatest = row.max() ?? 0
            let powers = row.map { exp(isExclusive ? $0 - greatest : -$0) }
            let sum = powers.reduce(0, +)
            let first = index / views * count
            for (element, power) in powers.enumerated() {
                probabilities[first + element] +=
                    (isExclusive ? power / sum : 1 / (1 + power)) / Double(views)
            }
        }
        self.init(
            classes: classes,
            logits: Tensor(shape: [videos, views, count], values: logits.flatMap(\.values)),
            probabilities: Tensor(shape: [videos, count], values: probabilities.map { Float($0) })
        )
    }
}
