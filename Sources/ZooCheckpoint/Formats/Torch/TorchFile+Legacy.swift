// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

extension TorchFile {
    /// The end of the first pickle of the legacy container: the number 0x1950a86a20f9469cfc6c.
    private static let legacyMagic: [UInt8] = [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    private static let legacyProtocol = 1001

    /// The end of the first pickle in a file that begins like the legacy container; otherwise nil.
    static func legacyStart(_ start: [UInt8]) -> Int? {
        guard start.count > 2, start[0] == 0x80, (2...5).contains(start[1]) else { return nil }
        // From protocol 4 on, the pickle begins with a frame opcode and its length.
        let number = start[2] == PickleInstruction.frame.rawValue ? 11 : 2
        guard start.dropFirst(number).starts(with: legacyMagic) else { return nil }
        return number + legacyMagic.count
    }

    /// Reads the container of PyTorch 0.2 to 1.5: consecutive pickles, then the storages.
    ///
    /// Elements are always little-endian, as `torch.load` reads them. A big-endian writer swaps
    /// bytes, and the byte order that the file states has no effect.
    ///
    /// - Throws: ``ZooError`` with a `checkpoint.torch-*` or `checkpoint.pickle-*` code.
    init(legacy file: MappedFile, from start: Int) throws(ZooError) {
        let bytes = try file.bytes(0..<min(file.byteCount, PickleLimits.bytes))
        var position = start
        func next() throws(ZooError) -> Pickle {
            let pickle = try PickleMachine.read(
                bytes,
                from: position,
                isLegacy: true,
                source: file.path
            )
            position = pickle.end
            return pickle
        }
        let version = try next()
        guard case .integer(Self.legacyProtocol) = version.values[version.root] else {
            throw Self.layout("has an unknown protocol version", file.path)
        }
        let system = try next()
        guard case .dictionary = system.values[system.root] else {
            throw Self.layout("does not describe the machine that wrote it", file.path)
        }
        let object = try next()
        let keys = try Self.keys(try next(), source: file.path)
        let places = try Self.places(of: keys, object.storages, from: position, in: file)
        try self.init(object, in: file) { key, count throws(ZooError) in
            guard let content = places[ExactName(key)] else {
                throw Self.layout("lacks the storage '\(key)'", file.path)
            }
            guard content.count == count else {
                throw Self.layout(
                    "has \(content.count) bytes of storage '\(key)' instead of \(count)",
                    file.path
                )
            }
            return Place(content: content, isBigEndian: false)
        }
    }

    private static func keys(_ pickle: Pickle, source: String) throws(ZooError) -> [String] {
        guard case .list(let items) = pickle.values[pickle.root] else {
            throw layout("has no list of storages", source)
        }
        var keys: [String] = []
        for item in items {
            guard case .string(let key) = pickle.values[item] else {
                throw layout("has a list of storages with an invalid entry", source)
            }
            keys.append(key)
        }
        guard Set(keys).count == keys.count else {
            throw layout("lists a storage twice", source)
        }
        return keys
    }

    /// Locates the storages, each of which is an element count of 8 bytes and the elements.
    private static func places(
        of keys: [String],
        _ storages: [Pickle.Storage],
        from start: Int,
        in file: MappedFile
    ) throws(ZooError) -> [ExactName: Range<Int>] {
        let widths = Dictionary(
            storages.map { (ExactName($0.key), ($0.dtype?.bitWidth ?? 8) / 8) },
            uniquingKeysWith: { first, _ in first }
        )
        var places: [ExactName: Range<Int>] = [:]
        var position = start
        for key in keys {
            guard let width = widths[ExactName(key)] else {
                throw layout("has a storage '\(key)' that no tensor uses", file.path)
            }
            guard file.byteCount - position >= 8 else {
                throw layout("ends before storage '\(key)'", file.path)
            }
            let count = try file.bytes(position..<position + 8).reversed()
                .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            position += 8
            guard let count = Int(exactly: count), count <= (file.byteCount - position) / width
            else { throw layout("ends inside storage '\(key)'", file.path) }
            places[ExactName(key)] = position..<position + count * width
            position += count * width
        }
        guard position == file.byteCount else {
            throw layout("has bytes after its last storage", file.path)
        }
        return places
    }
}
