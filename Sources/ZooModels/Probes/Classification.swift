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
        /// [videos, views, classes].
        public let logits: Tensor
        /// [videos, classes]: of every view the softmax of the logits, averaged over the views; of an
        /// anticipation the logistic function instead, since its classes do not exclude each other.
        public let probabilities: Tensor

        /// The most probable classes of a video, best first; of equal ones the first.
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

    /// One head, or those of verbs, nouns and actions.
    public let heads: [Head]

    /// The head of a name: `logits`, or `verb`, `noun` or `action`.
    public func head(_ name: String) -> Head? { heads.first { $0.classes.name == name } }
}

/// The probability of a class.
public struct ClassScore: Hashable, Sendable {
    /// The number of the class, from 0.
    public let index: Int
    /// Its name, where it is known.
    public let label: String?
    /// From 0 to 1.
    public let probability: Float
}

extension Classification.Head {
    /// Turns logits [videos · views, classes] to scores of the videos.
    ///
    /// Source: facebookresearch/vjepa2 `evals/video_classification_frozen/eval.py` (softmax of each view,
    /// then the mean), `evals/action_anticipation_frozen/metrics.py` (logistic function).
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
