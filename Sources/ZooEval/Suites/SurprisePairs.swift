// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooTensor

/// Pairs of a possible and an impossible clip.
enum SurprisePairs: Sendable {
    /// Tensors of a data set.
    case stored(TensorSplit)
    /// Movies of held data.
    case held([HeldData.Pair])

    /// The number of pairs.
    var count: Int {
        switch self {
        case .stored(let split): split.count
        case .held(let pairs): pairs.count
        }
    }

    /// The kind of each pair.
    ///
    /// - Parameter kinds: the names of the kinds.
    /// - Returns: an index into `kinds` for each pair.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a pair has another kind.
    func kinds(_ kinds: [String]) throws(ZooError) -> [Int] {
        switch self {
        case .stored(let split):
            let numbers = try split.numbers("kind", [1], 0..<split.count).values
            var found: [Int] = []
            for (sample, number) in numbers.enumerated() {
                guard let kind = kinds.indices.first(where: { Float($0) == number }) else {
                    throw .dataUnsuitable(
                        "'kind' of sample \(sample) is \(number), not an index into 'kinds'"
                    )
                }
                found.append(kind)
            }
            return found
        case .held(let pairs):
            var found: [Int] = []
            for pair in pairs {
                guard let kind = kinds.firstIndex(where: { $0.isExactly(pair.block) }) else {
                    throw .dataUnsuitable(
                        "the movie of '\(pair.possible[0].path)' has the kind '\(pair.block)', which is not in 'kinds'",
                        remedy: "name the blocks of the data in 'kinds'"
                    )
                }
                found.append(kind)
            }
            return found
        }
    }

    /// The number of frames of each clip.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when clips differ in their sizes.
    func frames() throws(ZooError) -> Int {
        switch self {
        case .stored(let split):
            let size = try split.clipSize("possible")
            guard size == (try split.clipSize("impossible")) else {
                throw .dataUnsuitable("possible and impossible clips have different sizes")
            }
            return size.frames
        case .held(let pairs): return pairs[0].possible.count
        }
    }
}
