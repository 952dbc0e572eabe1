// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The existing names that a mistyped one probably stands for.
public struct NearestNames: Sendable, Equatable {
    /// At most three names, nearest first; names at equal distance in alphabetical order.
    public let names: [String]

    private static let most = 3

    /// Finds the nearest of the names that exist.
    ///
    /// A name is near when a third of its characters, at least one and at most four, turn the one
    /// into the other.
    ///
    /// - Parameters:
    ///   - wanted: the name as it was typed.
    ///   - candidates: the names that exist.
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

    /// Finds the nearest of the models that exist: those of a similar name, else those whose name
    /// is right and whose namespace is wrong.
    ///
    /// - Parameters:
    ///   - wanted: the model that was asked for.
    ///   - candidates: the models that exist.
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

    /// The number of insertions, deletions, substitutions and swaps of neighbours that turn one text
    /// into the other; nil when it exceeds `bound`.
    ///
    /// Damerau-Levenshtein distance, restricted: no part is edited twice.
    static func distance(_ left: [UInt8], _ right: [UInt8], atMost bound: Int) -> Int? {
        guard abs(left.count - right.count) <= bound else { return nil }
        // Rows of the table of distances between prefixes; `earlier` is two rows up, for swaps.
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
            // Distances never fall from one row to the next but one.
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
