// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Data that the user holds, and that no registry may distribute: `data` of the kind `held`.
///
/// `registry/SPEC.md` section 13.
package struct HeldSource: Sendable, Equatable {
    /// A split: which files are samples, and what their labels are.
    package struct Split: Sendable, Equatable {
        /// The name.
        package let name: String
        /// How the files of the split lie.
        let layout: HeldLayout
        /// The number of samples; nil when copies of the data differ in it.
        let count: Int?
        /// The digest of the list of its files; nil when nobody has published it.
        package let digest: ContentDigest?
    }

    /// The name that the user gives a path for: a word.
    package let name: String
    /// The splits that the suite needs.
    package let splits: [Split]
    /// The split that is measured on.
    package let split: String

    /// The digest of the list of files of the split that is measured on, if the digests of all splits are known: then the
    /// definition names every byte.
    package var digest: ContentDigest? {
        guard splits.allSatisfy({ $0.digest != nil }) else { return nil }
        return splits.first { $0.name == split }?.digest
    }

    init(_ object: JSONObject) throws(ZooError) {
        name = try object.string("name", maximum: 64)
        guard ModelName.isWord(name) else { throw object.invalid("name", "is not a word") }
        split = try object.string("split", maximum: 64)
        var splits: [Split] = []
        for item in try object.objects("splits", maximum: 16) {
            let name = try item.string("name", maximum: 64)
            guard !splits.contains(where: { $0.name == name }) else {
                throw item.invalid("name", "is used twice")
            }
            splits.append(
                Split(
                    name: name,
                    layout: try HeldLayout(try item.object("layout")),
                    count: try item.optionalInteger("count", in: 1...HeldLayout.fileLimit),
                    digest: item.value("digest") == nil ? nil : try item.digest("digest")
                )
            )
        }
        guard splits.contains(where: { [split] in $0.name == split }) else {
            throw object.invalid("split", "is '\(split)', which is not in 'splits'")
        }
        self.splits = splits
    }

    /// The canonical form of `data`.
    var json: JSONValue {
        [
            "kind": "held", "name": .string(name), "split": .string(split),
            "splits": .array(splits.map(\.json)),
        ]
    }
}

extension HeldSource.Split {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "layout": layout.json]
        if let count { members["count"] = .integer(count) }
        if let digest { members["digest"] = .string(digest.description) }
        return .object(members)
    }
}
