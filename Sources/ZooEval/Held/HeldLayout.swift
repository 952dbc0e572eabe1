// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// How the files of a split of held data lie, with paths relative to what the user holds.
///
/// Each case is the layout in which a data set is published. A folder that is nil is all of it.
enum HeldLayout: Sendable, Equatable {
    /// A folder for each class, as `torchvision.datasets.ImageFolder` reads it.
    case classFolders(folder: ReleasePath?)
    /// Lines of a path and the number of a class, as facebookresearch/vjepa2 `src/datasets` reads them.
    case fileList(list: ReleasePath, folder: ReleasePath?)
    /// `labels.json`, and entries with `id` and `template`, of Something-Something v2.
    case somethingSomething(labels: ReleasePath, list: ReleasePath, folder: ReleasePath?)
    /// A CSV file with `label`, `youtube_id`, `time_start` and `time_end`, of Kinetics.
    case kinetics(list: ReleasePath, folder: ReleasePath?)
    /// Entries with `vid_name` and `label`, of Diving48.
    case diving48(list: ReleasePath, folder: ReleasePath?)
    /// Scenes of four movies, ``HeldScene``, of which some frames are read.
    case intPhys(folder: ReleasePath?, clip: MovieFrames)
    /// Single files without classes.
    case files([ReleasePath])

    /// The number of files that are listed at most.
    static let fileLimit = 20_000_000

    private enum Kind: String, CaseIterable {
        case classFolders = "class-folders"
        case fileList = "file-list"
        case somethingSomething = "something-something"
        case kinetics
        case diving48
        case intPhys = "intphys"
        case files
    }

    /// Reads `layout` of a split.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ object: JSONObject) throws(ZooError) {
        func path(_ name: String) throws(ZooError) -> ReleasePath {
            let text = try object.string(name, maximum: 1024)
            guard let path = try? ReleasePath(parsing: text) else {
                throw object.invalid(name, "is not a path below the held data")
            }
            return path
        }
        let folder = object.value("folder") == nil ? nil : try path("folder")
        switch try object.choice("kind", of: Kind.self) {
        case .classFolders: self = .classFolders(folder: folder)
        case .fileList: self = .fileList(list: try path("list"), folder: folder)
        case .somethingSomething:
            self = .somethingSomething(
                labels: try path("labels"),
                list: try path("list"),
                folder: folder
            )
        case .kinetics: self = .kinetics(list: try path("list"), folder: folder)
        case .diving48: self = .diving48(list: try path("list"), folder: folder)
        case .intPhys:
            self = .intPhys(
                folder: folder,
                clip: MovieFrames(
                    step: try object.integer("step", in: 1...4096),
                    frames: try object.integer("frames", in: 2...4096)
                )
            )
        case .files:
            var paths: [ReleasePath] = []
            for text in try object.strings("files", maximum: 1000, each: 1024) {
                guard let path = try? ReleasePath(parsing: text), !paths.contains(path) else {
                    throw object.invalid("files", "must be distinct paths below the held data")
                }
                paths.append(path)
            }
            guard !paths.isEmpty else { throw object.invalid("files", "must name a file") }
            self = .files(paths)
        }
    }

    /// The canonical form.
    var json: JSONValue {
        func object(
            _ kind: Kind,
            _ folder: ReleasePath?,
            _ others: [String: JSONValue] = [:]
        ) -> JSONValue {
            var members = others
            members["kind"] = .string(kind.rawValue)
            if let folder { members["folder"] = .string(folder.text) }
            return .object(members)
        }
        return switch self {
        case .classFolders(let folder): object(.classFolders, folder)
        case .fileList(let list, let folder):
            object(.fileList, folder, ["list": .string(list.text)])
        case .somethingSomething(let labels, let list, let folder):
            object(
                .somethingSomething,
                folder,
                ["labels": .string(labels.text), "list": .string(list.text)]
            )
        case .kinetics(let list, let folder):
            object(.kinetics, folder, ["list": .string(list.text)])
        case .diving48(let list, let folder):
            object(.diving48, folder, ["list": .string(list.text)])
        case .intPhys(let folder, let clip):
            object(
                .intPhys,
                folder,
                ["step": .integer(clip.step), "frames": .integer(clip.frames)]
            )
        case .files(let paths):
            [
                "kind": .string(Kind.files.rawValue),
                "files": .array(paths.map { .string($0.text) }),
            ]
        }
    }
}
