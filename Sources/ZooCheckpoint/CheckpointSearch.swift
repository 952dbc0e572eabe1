// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Finds checkpoints among the files of an archive, by their names.
package enum CheckpointSearch {
    /// The suffixes of checkpoints; a later list counts only if no file has a suffix of an earlier one.
    private static let suffixes: [[String]] = [
        [".safetensors", ".pt", ".pth", ".ckpt", ".pt.tar", ".pth.tar"], [".bin"],
        [".npz", ".npy"],
    ]
    private static let single = "model.safetensors"
    private static let index = "\(single).index.json"

    /// The checkpoints among files: a path of a file, or of a folder that holds a model.
    ///
    /// - Parameter names: the paths of the files, relative to a common folder.
    /// - Returns: paths, sorted; empty for the common folder itself.
    package static func candidates(among names: [String]) -> [String] {
        let names = names.filter(isContent)
        let models = Set(
            names.filter { [single, index].contains(FileSystem.name(of: $0)) }.map(folder)
        )
        for list in suffixes {
            var found = list == suffixes[0] ? models : []
            for name in names where list.contains(where: { name.lowercased().hasSuffix($0) }) {
                guard !models.contains(folder(name)) || !isPart(FileSystem.name(of: name)) else {
                    continue
                }
                found.insert(name)
            }
            if !found.isEmpty { return found.sorted() }
        }
        return []
    }

    /// Whether a ZIP file is a checkpoint of PyTorch or NumPy, and not an archive of other files.
    ///
    /// A damaged file is one if its first record is one of a checkpoint.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package static func isCheckpoint(zip path: String) throws(ZooError) -> Bool {
        let file = try MappedFile(path)
        if let names = try? ZipNames(of: file).names {
            return names.contains(where: isPickle)
                || !names.isEmpty && names.allSatisfy { $0.hasSuffix(".npy") }
        }
        guard let first = try? ZipNames.first(of: file) else { return false }
        return isPickle(first) || first.hasSuffix(".npy")
    }

    /// Whether a tar file with these members is a checkpoint that PyTorch wrote until 2017.
    package static func isTorchTar(_ names: [String]) -> Bool {
        Set(["pickle", "storages", "tensors"]).isSubset(of: names)
    }

    private static func isPickle(_ name: String) -> Bool {
        name == "data.pkl" || name.hasSuffix("/data.pkl")
    }

    /// Whether a file belongs to the model in its folder: the weights or one of their shards.
    private static func isPart(_ name: String) -> Bool {
        name == single || name.firstMatch(of: /^.*-\d{5}-of-\d{5}\.safetensors$/) != nil
    }

    /// Archives that macOS makes have a second file with attributes for each file.
    private static func isContent(_ name: String) -> Bool {
        !name.hasPrefix("__MACOSX/") && !FileSystem.name(of: name).hasPrefix("._")
    }

    private static func folder(_ name: String) -> String {
        name.contains("/") ? FileSystem.parent(of: name) : ""
    }
}

/// The names in the directory of a ZIP file, which may be compressed.
private struct ZipNames {
    let names: [String]

    init(of file: MappedFile) throws(ZooError) {
        let end = try ZipEnd(file)
        var reader = try ZipReader(file, reading: end.directory)
        var names: [String] = []
        for _ in 0..<end.count {
            reader.position += 28
            let lengths = [
                try reader.integer(2), try reader.integer(2), try reader.integer(2),
            ]
            reader.position += 12
            names.append(String(decoding: try reader.bytes(lengths[0]), as: UTF8.self))
            reader.position += lengths[1] + lengths[2]
        }
        self.names = names
    }

    /// The name in the first local header.
    static func first(of file: MappedFile) throws(ZooError) -> String {
        var reader = try ZipReader(file, reading: 0..<66_000)
        reader.position += 26
        let length = try reader.integer(2)
        reader.position += 2
        return String(decoding: try reader.bytes(length), as: UTF8.self)
    }
}
