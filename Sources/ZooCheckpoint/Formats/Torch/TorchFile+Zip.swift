// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

extension TorchFile {
    private static let pickleName = "data.pkl"
    private static let smallRecord = 64

    /// Whether the records are those of a `torch.save` or TorchScript file.
    static func claims(_ directory: ZipDirectory) -> Bool {
        directory.records.contains { record in
            record.name == pickleName || record.name.hasSuffix("/\(pickleName)")
        }
    }

    /// Reads the ZIP container, PyTorch 1.6 and later.
    ///
    /// - Throws: ``ZooError`` with a `checkpoint.torch-*`, `checkpoint.pickle-*` or
    ///   `checkpoint.zip-*` code.
    init(_ directory: ZipDirectory, in file: MappedFile) throws(ZooError) {
        let root = try Self.root(of: directory, source: file.path)
        func small(_ name: String) throws(ZooError) -> String? {
            guard let record = directory[root + name] else { return nil }
            let bytes = try directory.bytes(of: record, limit: Self.smallRecord)
            return String(validating: bytes, as: UTF8.self) ?? ""
        }
        let version = (try small("version") ?? "").trimmingNewline
        guard let number = Int(version), (1...10).contains(number) else {
            throw Self.layout("has the unknown version '\(version)'", file.path)
        }
        let order = try small("byteorder") ?? "little"
        guard order == "little" || order == "big" else {
            throw Self.layout("has the unknown byte order '\(order)'", file.path)
        }
        guard let record = directory[root + Self.pickleName] else {
            throw Self.layout("has no '\(root)\(Self.pickleName)'", file.path)
        }
        let bytes = try directory.bytes(of: record, limit: PickleLimits.bytes)
        let pickle = try PickleMachine.read(bytes, source: file.path)
        guard pickle.end == bytes.count else {
            throw ZooError(
                .pickleMalformed,
                "the pickle in '\(file.path)' is followed by \(bytes.count - pickle.end) extra bytes",
                remedy: "the file is damaged or malicious; download it again"
            )
        }
        try self.init(pickle, in: file) { key, count throws(ZooError) in
            guard let record = directory["\(root)data/\(key)"] else {
                throw Self.layout("lacks the storage '\(key)'", file.path)
            }
            guard record.content.count == count else {
                throw Self.layout(
                    "has \(record.content.count) bytes of storage '\(key)' instead of \(count)",
                    file.path
                )
            }
            return Place(content: record.content, isBigEndian: order == "big")
        }
    }

    /// The folder that contains all records, with a trailing slash.
    private static func root(
        of directory: ZipDirectory,
        source: String
    ) throws(ZooError) -> String {
        let pickles = directory.records.map(\.name).filter { name in
            name == pickleName || name.hasSuffix("/\(pickleName)")
        }
        guard pickles.count == 1 else {
            throw layout("has \(pickles.count) records called '\(pickleName)'", source)
        }
        let root = String(pickles[0].dropLast(pickleName.count))
        for record in directory.records {
            guard record.name.hasPrefix(root) else {
                throw layout("has the record '\(record.name)' outside '\(root)'", source)
            }
            let name = record.name.dropFirst(root.count)
            guard name != "constants.pkl", !name.hasPrefix("code/") else {
                throw ZooError(
                    .torchScript,
                    "'\(source)' is a TorchScript program, which contains code besides its weights",
                    remedy: "save the weights alone: torch.save(model.state_dict(), …)"
                )
            }
        }
        return root
    }

    static func layout(_ what: String, _ source: String) -> ZooError {
        ZooError(
            .torchLayout,
            "the PyTorch file '\(source)' \(what)",
            remedy: "the file is incomplete or was not written by torch.save; download it again"
        )
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
