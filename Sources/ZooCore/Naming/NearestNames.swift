// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Suggestions for a mistyped name.
public struct NearestNames: Sendable, Equatable {
    /// At most three names, nearest first; names at equal distance in alphabetical order.
    public let names: [String]

    private static let most = 3

    /// Finds the existing names nearest to a mistyped one.
    ///
    /// A name is near when its edit distance is at most a third of the length of the typed name,
    /// rounded down, but at least 1 and at most 4.
    ///
    /// - Parameters:
    ///   - wanted: the typed name.
    ///   - candidates: the existing names.
    public init(to wanted: String, among candidates: some Sequence<String>) {
        let bound = min(4, max(1, wanted.utf8.count / 3))
        let wanted = Array(wanted.utf8)
        var found: [(distance: Int, name: String)] = []
        for name in Set(candidates) {
            guard let distance = Self.distance(wanted, Array(name.utf8), atMost: bound) else {
                continue
            }
            found.append((distance, name))
        }
        names = found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(Self.most).map(\.name)
    }

    /// Finds existing models with a similar name, or else with the same name in another namespace.
    ///
    /// - Parameters:
    ///   - wanted: the requested model.
    ///   - candidates: the existing models.
    public init(to wanted: ModelName, among candidates: [ModelName]) {
        let similar = NearestNames(
            to: wanted.description,
            among: candidates.lazy.map(\.description)
        )
        guard similar.names.isEmpty else {
            self = similar
            return
        }
        let elsewhere = Set(candidates.filter { $0.name == wanted.name })
        names = elsewhere.sorted().prefix(Self.most).map(\.description)
    }

    /// `did you mean 'a', 'b' or 'c'?`; nil when no name is near.
    public var question: String? {
        let quoted = names.map { "'\($0)'" }
        guard let last = quoted.last else { return nil }
        let others = quoted.dropLast()
        return others.isEmpty
            ? "did you mean \(last)?"
            : "did you mean \(others.joined(separator: ", ")) or \(last)?"
    }

    /// The restricted Damerau-Levenshtein distance (optimal string alignment).
    ///
    /// - Returns: the number of insertions, deletions, substitutions and transpositions of adjacent
    ///   bytes; nil when it exceeds `bound`.
    static func distance(_ left: [UInt8], _ right: [UInt8], atMost bound: Int) -> Int? {
        guard abs(left.count - right.count) <= bound else { return nil }
        // Rows of the distance matrix; `earlier` is two rows up, for transpositions.
        var earlier: [Int] = []
        var previous = Array(0...right.count)
        for row in 1..<(left.count + 1) {
            var current = [row]
            current.reserveCapacity(right.count + 1)
            for column in 1..<(right.count + 1) {
                let isSame = left[row - 1] == right[column - 1]
                var least = min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + (isSame ? 0 : 1)
                )
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    least = min(least, earlier[column - 2] + 1)
                }
                current.append(least)
            }
            // The minimum over two consecutive rows never decreases.
            if row > 1, let best = current.min(), let before = previous.min(),
                min(best, before) > bound
            {
                return nil
            }
            (earlier, previous) = (previous, current)
        }
        return previous[right.count] <= bound ? previous[right.count] : nil
    }
}
