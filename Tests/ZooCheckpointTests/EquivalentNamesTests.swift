// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore

/// PyTorch files with keys that Swift's `String` takes for one and PyTorch for two.
@Suite struct EquivalentNamesTests {
    private static let name = "\u{E9}"
    private static let twin = "e\u{301}"

    @Test func aStorageIsNotReadInPlaceOfAnother() throws {
        let tensors = Self.tensor("a", storage: Self.name) + Self.tensor("b", storage: Self.name)
        let same = try Self.open(tensors)
        #expect(same.tensors.map(\.name) == ["a", "b"])
        let error = #expect(throws: ZooError.self) {
            try Self.open(
                Self.tensor("a", storage: Self.name) + Self.tensor("b", storage: Self.twin)
            )
        }
        #expect(error?.code.rawValue == "checkpoint.torch-layout")
        #expect(error?.message.contains("lacks the storage '\(Self.twin)'") == true)
    }

    @Test func twoTensorsWithEquivalentNamesAreNotMerged() throws {
        let error = #expect(throws: ZooError.self) {
            try Self.open(
                Self.tensor(Self.name, storage: Self.name)
                    + Self.tensor(Self.twin, storage: Self.name)
            )
        }
        #expect(error?.code.rawValue == "checkpoint.pickle-malformed")
    }

    // MARK: A file of `torch.save`, written by hand

    private static func open(_ tensors: [UInt8]) throws -> Checkpoint {
        let pickle = [0x80, 2] + Array("}(".utf8) + tensors + Array("u.".utf8)
        let file = archive([
            ("archive/data.pkl", pickle), ("archive/version", Array("3\n".utf8)),
            ("archive/data/\(name)", [0, 0, 0x80, 0x3F]),
        ])
        let folder = try TemporaryFolder()
        try folder.write(file, to: "file.pt")
        return try Checkpoint(opening: "\(folder.path)/file.pt")
    }

    /// The key and the value of a dictionary: one float32 in a storage of one element.
    private static func tensor(_ name: String, storage: String) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { [0x58] + little(text.utf8.count, 4) + text.utf8 }
        let one: [UInt8] = [0x4B, 1]
        let identifier =
            Array("(".utf8) + text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text(storage)
            + text("cpu") + one + Array("tQ".utf8)
        // Offset 0, sizes (1,), strides (1,), no gradient, no hooks.
        let arguments = [0x4B, 0] + one + [0x85] + one + [0x85, 0x89] + Array("}".utf8)
        return text(name) + Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8) + identifier
            + arguments + Array("tR".utf8)
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// A ZIP file without compression.
    private static func archive(_ records: [(name: String, content: [UInt8])]) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in records {
            let sizes = little(content.count, 4) + little(content.count, 4)
            // Version 2.0, names in UTF-8, stored, no time.
            let common =
                little(20, 2) + little(0x800, 2) + little(0, 6) + little(checksum(content), 4)
                + sizes
                + little(name.utf8.count, 2) + little(0, 2)
            directory +=
                [0x50, 0x4B, 1, 2] + little(20, 2) + common + little(0, 10) + little(file.count, 4)
                + name.utf8
            file += [0x50, 0x4B, 3, 4] + common + name.utf8 + content
        }
        let end =
            [0x50, 0x4B, 5, 6] + little(0, 4) + little(records.count, 2) + little(records.count, 2)
            + little(directory.count, 4) + little(file.count, 4) + little(0, 2)
        return file + directory + end
    }

    /// CRC-32 of ISO 3309.
    private static func checksum(_ bytes: [UInt8]) -> Int {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        return Int(~value)
    }
}
