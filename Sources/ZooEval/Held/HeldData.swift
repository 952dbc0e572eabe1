// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// Held data that were listed, labelled and hashed as a definition says.
package struct HeldData: Sendable {
    /// A sample with a class.
    struct Sample: Sendable {
        /// The file, relative to what the user gave.
        let path: String
        /// The number of the class.
        let label: Int
        /// The digest of the file.
        let digest: ContentDigest
    }

    /// The classes of a split.
    enum Classes: Sendable, Equatable {
        /// Their names, by number.
        case named([String])
        /// Numbers whose meaning the data do not tell; how many, or nil if the layout does not say.
        case numbered(Int?)
        /// The samples have no classes.
        case none
    }

    /// A split of samples with classes.
    struct Labelled: Sendable {
        /// The name.
        let name: String
        /// The samples, in the order of the layout.
        let samples: [Sample]
        /// The classes.
        let classes: Classes
    }

    /// A split, whose files were hashed.
    private struct Split: Sendable {
        enum Content: Sendable {
            case labelled(Labelled)
            case paired([Pair])
        }

        let name: String
        let content: Content
        /// The digest of the list of files, as ``FileDigests/list`` computes it.
        let digest: ContentDigest
    }

    /// What the definition says.
    package let source: HeldSource
    /// The files.
    let files: any HeldFiles
    private let splits: [Split]

    /// Lists, labels and hashes the splits that a definition names.
    ///
    /// Reads every file of the splits once, lists and labels for their digests too; memory grows with the number of files only.
    ///
    /// - Parameters:
    ///   - source: what the definition says.
    ///   - files: what the user holds.
    /// - Throws: ``ZooError`` with an `evaluation.*`, `media.*`, `io.*` or `archive.*` code that names the file that
    ///   contradicts the definition; `CancellationError`.
    package init(_ source: HeldSource, in files: any HeldFiles) async throws {
        self.source = source
        self.files = files
        var splits: [Split] = []
        for split in source.splits {
            splits.append(try await Self.open(split, in: files))
        }
        self.splits = splits
    }

    private static func open(
        _ split: HeldSource.Split,
        in files: any HeldFiles
    ) async throws -> Split {
        let place = "the split '\(split.name)' of '\(files.path)'"
        let (listing, digests) = try await BlockingWork.run { cancellation in
            let listing = try HeldListing(split.layout, in: files, cancellation)
            if let count = split.count, count != listing.count {
                throw ZooError(
                    .evaluationDataDiffers,
                    "\(place) has \(listing.count) samples, and the suite expects \(count)",
                    remedy: "complete the data, or give those that the suite names"
                )
            }
            var digests = listing.documents
            try digests.add(listing.files, in: files, cancellation)
            return (listing, digests)
        }
        let digest = digests.list
        guard split.digest == nil || split.digest == digest else {
            throw ZooError(
                .evaluationDataDiffers,
                "the files of \(place) have the digest \(digest), and the suite expects "
                    + "\(split.digest?.description ?? "")",
                remedy: "get the data that the suite names again"
            )
        }
        let content: Split.Content
        switch listing.content {
        case .labelled(let items, let classes):
            let samples = items.map {
                Sample(path: $0.path, label: $0.label, digest: digests[$0.path])
            }
            content = .labelled(Labelled(name: split.name, samples: samples, classes: classes))
        case .scenes(let scenes):
            var pairs: [Pair] = []
            for scene in scenes {
                let movies = scene.movies.map { movie in
                    movie.frames.map { Frame(path: $0, digest: digests[$0]) }
                }
                pairs += try await Self.pairs(of: scene, movies, in: files)
            }
            content = .paired(pairs)
        }
        return Split(name: split.name, content: content, digest: digest)
    }

    /// A split of samples with classes.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the definition has no such split.
    func labelled(_ name: String) throws(ZooError) -> Labelled {
        if case .labelled(let labelled) = try split(name).content { return labelled }
        throw .dataUnsuitable("the split '\(name)' has pairs of movies, and no classes")
    }

    /// A split of pairs of movies.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the definition has no such split.
    func pairs(_ name: String) throws(ZooError) -> [Pair] {
        if case .paired(let pairs) = try split(name).content { return pairs }
        throw .dataUnsuitable(
            "the split '\(name)' has samples with classes, and no pairs of movies"
        )
    }

    /// The digest of the list of files of a split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the definition has no such split.
    func digest(_ name: String) throws(ZooError) -> ContentDigest { try split(name).digest }

    /// What names the samples of a split: its files and how they are listed, whatever the data and the split are called.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the definition has no such split.
    func json(ofSplit name: String) throws(ZooError) -> JSONValue {
        let digest = try split(name).digest
        let layout = source.splits.first { $0.name == name }?.layout.json
        return ["kind": "held", "layout": layout ?? .null, "digest": .string(digest.description)]
    }

    private func split(_ name: String) throws(ZooError) -> Split {
        if let split = splits.first(where: { $0.name == name }) { return split }
        let names = splits.map { "'\($0.name)'" }.joined(separator: ", ")
        throw .dataUnsuitable(
            "the held data '\(source.name)' have no split '\(name)', only \(names)",
            remedy: "add the split to 'splits' of 'data' in the definition"
        )
    }

    /// `data` of a report: what the definition says, with the digests of the files that were found.
    var json: JSONValue {
        guard case .object(var members) = source.json else { return source.json }
        members["digest"] = splits.first { $0.name == source.split }
            .map { .string($0.digest.description) }
        members["digests"] = .array(
            splits.map { ["split": .string($0.name), "digest": .string($0.digest.description)] }
        )
        return .object(members)
    }
}

extension HeldData.Classes {
    /// The names; nil when only numbers are known.
    var names: [String]? {
        if case .named(let names) = self { names } else { nil }
    }

    /// How many there are; nil when the layout does not say.
    var count: Int? {
        switch self {
        case .named(let names): names.count
        case .numbered(let count): count
        case .none: 0
        }
    }
}
