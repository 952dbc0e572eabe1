// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How a lab's training code nests the tensors in its files.
enum UpstreamNesting: Sendable {
    /// One state dict for each network.
    case dictionaries
    /// One flat dictionary; only files of this kind have tensors whose names begin with `mark`.
    case flat(mark: String)
    /// A list of state dicts under `key`, of which a release holds one.
    case list(key: String)

    /// Whether a file whose names begin with `keys` is one flat dictionary.
    static func isFlat(_ keys: some Sequence<String>) -> Bool {
        let marks = ConvertibleFamily.all.compactMap { family -> String? in
            if case .flat(let mark) = family.nesting { mark } else { nil }
        }
        // A name without a dot belongs to no state dict.
        return keys.contains { $0.isEmpty || marks.contains($0) }
    }

    /// Whether the tensors under `key` are a list of state dicts.
    static func isList(_ key: some StringProtocol) -> Bool {
        ConvertibleFamily.all.contains {
            if case .list(let name) = $0.nesting { name == key } else { false }
        }
    }
}
