// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia

/// Which frames of a movie are read: from the first, one every `step` frames.
struct MovieFrames: Sendable, Equatable {
    /// The distance between two frames.
    let step: Int
    /// The number of frames that are read.
    let frames: Int

    /// The frames.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.clip-too-short`.
    func indices(frameCount count: Int, of path: String) throws(ZooError) -> [Int] {
        try FrameRule.every(step: step, frames: frames).clips(frameCount: count, of: path)[0]
    }
}

/// Four movies that differ by a physical event: two are possible, two are not.
///
/// Layout of IntPhys: `BLOCK/SCENE/MOVIE/scene/*.png`, with movies 1 to 4, and `header.is_possible` in
/// `BLOCK/SCENE/MOVIE/status.json`. Other files of a movie, such as depth maps, are not read.
struct HeldScene: Sendable {
    /// A movie, before its files are read.
    struct Movie: Sendable {
        /// Whether it can happen.
        let isPossible: Bool
        /// The frames that are read.
        let frames: [String]
    }

    /// The folder, relative to what the user gave.
    let path: String
    /// The name of the block.
    let block: String
    /// The movies 1 to 4.
    let movies: [Movie]
}

extension HeldListing {
    /// Scenes of four movies.
    ///
    /// - Parameters:
    ///   - folder: the folder of the blocks.
    ///   - clip: which frames of each movie are read.
    ///   - documents: reads `status.json`.
    ///   - cancellation: stops the listing.
    /// - Throws: ``ZooError`` with code `evaluation.scene-invalid`, `evaluation.file-missing`,
    ///   `evaluation.file-unexpected` or `evaluation.clip-too-short`, or an `io.*` or `archive.*` code;
    ///   `CancellationError`.
    init(
        scenes folder: ReleasePath?,
        _ clip: MovieFrames,
        _ documents: HeldDocuments,
        _ cancellation: Cancellation
    ) throws {
        let files = documents.files
        let start = folder.map { "\($0)/" } ?? ""
        // Scene, movie, frames.
        var frames: [ExactName: [String: [String]]] = [:]
        var hasStatus: Set<ExactName> = []
        for path in try files.paths(below: folder, cancellation) {
            let parts = path.utf8.dropFirst(start.utf8.count).split(separator: UInt8(ascii: "/"))
                .map { String(Substring($0)) }
            guard parts.count >= 4 else {
                throw ZooError.fileUnexpected("'\(path)' of '\(files.path)' belongs to no movie")
            }
            let scene = ExactName("\(start)\(parts[0])/\(parts[1])")
            if parts.count == 5, parts[3].isExactly("scene") {
                frames[scene, default: [:]][parts[2], default: []].append(path)
            } else if parts.count == 4, parts[3].isExactly("status.json") {
                hasStatus.insert(ExactName(path))
                frames[scene, default: [:]][parts[2], default: []] += []
            }
        }
        guard !frames.isEmpty else {
            throw ZooError(
                .heldFileMissing,
                "'\(files.path)/\(start)' has no scenes of movies",
                remedy: "give the folder that holds the blocks, such as O1"
            )
        }
        var scenes: [HeldScene] = []
        for (scene, found) in frames.sorted(by: { $0.key < $1.key }) {
            try cancellation.check()
            let names = found.keys.sorted()
            guard names == ["1", "2", "3", "4"] else {
                throw ZooError.sceneInvalid(
                    "the scene '\(scene)' of '\(files.path)' has the movies \(names.joined(separator: ", ")), expected "
                        + "1 to 4"
                )
            }
            var movies: [HeldScene.Movie] = []
            for name in names {
                let movie = "\(scene)/\(name)"
                guard hasStatus.contains(ExactName("\(movie)/status.json")) else {
                    throw Self.missing("\(movie)/status.json", in: files)
                }
                let all = (found[name] ?? []).map(ExactName.init).sorted().map(\.text)
                guard !all.isEmpty else { throw Self.missing("\(movie)/scene/*", in: files) }
                movies.append(
                    HeldScene.Movie(
                        isPossible: try Self.isPossible("\(movie)/status.json", documents),
                        frames: try clip.indices(frameCount: all.count, of: movie).map { all[$0] }
                    )
                )
            }
            guard movies.count(where: \.isPossible) == 2 else {
                throw ZooError.sceneInvalid(
                    "\(movies.count(where: \.isPossible)) of the four movies of the scene '\(scene)' of '\(files.path)' "
                        + "are possible, expected two"
                )
            }
            let block = FileSystem.name(of: FileSystem.parent(of: scene.text))
            scenes.append(HeldScene(path: scene.text, block: block, movies: movies))
        }
        self.init(content: .scenes(scenes), documents)
    }
}

extension HeldData {
    /// A possible and an impossible movie that are equal until something happens.
    struct Pair: Sendable {
        /// The name of the block.
        let block: String
        /// The frames of the possible movie.
        let possible: [Frame]
        /// The frames of the impossible movie.
        let impossible: [Frame]
    }

    /// A frame of a movie.
    struct Frame: Sendable {
        /// The file, relative to what the user gave.
        let path: String
        /// The digest of the file.
        let digest: ContentDigest
    }

    /// Pairs the four movies of a scene.
    ///
    /// Of the movies 1 to 3, the one that differs last from movie 0 is paired with it; of several, the first.
    ///
    /// Source: facebookresearch/jepa-intuitive-physics `evaluation_code/evals/intuitive_physics/eval.py`
    /// (`get_breaking_points`, `get_matches`).
    ///
    /// - Parameters:
    ///   - scene: the scene.
    ///   - movies: the frames of each movie.
    ///   - files: the files.
    /// - Returns: two pairs, that of movie 0 first.
    /// - Throws: ``ZooError`` with code `evaluation.scene-invalid` when a pair has not one possible movie, or with a
    ///   `media.*`, `io.*` or `archive.*` code; `CancellationError`.
    static func pairs(
        of scene: HeldScene,
        _ movies: [[Frame]],
        in files: any HeldFiles
    ) async throws -> [Pair] {
        var (partner, latest) = (1, -1)
        for other in 1..<4 {
            let first = try await firstDifference(movies[0], movies[other], in: files)
            if first > latest { (partner, latest) = (other, first) }
        }
        let rest = (1..<4).filter { $0 != partner }
        return try [(0, partner), (rest[0], rest[1])].map { first, second in
            guard scene.movies[first].isPossible != scene.movies[second].isPossible else {
                throw ZooError.sceneInvalid(
                    "the movies \(first + 1) and \(second + 1) of the scene '\(scene.path)' of '\(files.path)' differ "
                        + "last, and are both \(scene.movies[first].isPossible ? "possible" : "impossible")"
                )
            }
            let (real, fake) =
                scene.movies[first].isPossible ? (first, second) : (second, first)
            return Pair(block: scene.block, possible: movies[real], impossible: movies[fake])
        }
    }

    /// The first frame in which two movies differ; the number of frames if they are equal.
    private static func firstDifference(
        _ movie: [Frame],
        _ other: [Frame],
        in files: any HeldFiles
    ) async throws -> Int {
        for (index, (left, right)) in zip(movie, other).enumerated() {
            // Different files may hold equal pixels.
            guard left.digest != right.digest else { continue }
            let reader = HeldReader(files)
            guard try await reader.image(left) == reader.image(right) else { return index }
        }
        return min(movie.count, other.count)
    }
}

extension ZooError {
    fileprivate static func sceneInvalid(_ what: String) -> ZooError {
        ZooError(
            .sceneInvalid,
            what,
            remedy: "get the scene again: it has two possible and two impossible movies"
        )
    }
}
