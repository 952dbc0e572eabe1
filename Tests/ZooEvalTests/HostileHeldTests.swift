// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

@testable import ZooEval

/// Held data that contradict a definition are refused with a code and the name of the file, one contradiction at a time.
@Suite struct HostileHeldTests {
    /// A change of the class folders.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        /// What the message names.
        let named: String
        let make: @Sendable (TemporaryFolder) throws -> Void
    }

    static let changes: [Change] = [
        Change(
            testDescription: "a sample is missing",
            code: "evaluation.data-differs",
            named: "15 samples, and the suite expects 16"
        ) { try remove("val/Zebra/8.JPEG", $0) },
        Change(
            testDescription: "a sample is one too many",
            code: "evaluation.data-differs",
            named: "33 samples, and the suite expects 32"
        ) { try copy("train/Zebra/7.png", "train/Zebra/99.png", $0) },
        Change(
            testDescription: "a file lies beside the class folders",
            code: "evaluation.file-unexpected",
            named: "val/stray.png"
        ) { try copy("val/Zebra/7.png", "val/stray.png", $0) },
        Change(
            testDescription: "a file is neither image nor video",
            code: "evaluation.file-unexpected",
            named: "val/Zebra/notes.txt"
        ) { try write("x", "val/Zebra/notes.txt", $0) },
        Change(
            testDescription: "a name has a line break",
            code: "evaluation.file-unexpected",
            named: "control character"
        ) { try write("x", "val/Zebra/a\nb.png", $0) },
        Change(
            testDescription: "a class has no samples",
            code: "evaluation.class-empty",
            named: "val/empty"
        ) {
            try FileManager.default.createDirectory(
                atPath: path("val/empty", $0),
                withIntermediateDirectories: true
            )
        },
        Change(
            testDescription: "a class is missing",
            code: "evaluation.data-unsuitable",
            named: "'Zebra'"
        ) { try move("val/Zebra", "val/other", $0) },
        Change(
            testDescription: "there are no class folders",
            code: "evaluation.file-missing",
            named: "/val/"
        ) { try remove("val", $0) },
        Change(
            testDescription: "a link leads back",
            code: "evaluation.file-unexpected",
            named: "val/Zebra/back"
        ) {
            try FileManager.default.createSymbolicLink(
                atPath: path("val/Zebra/back", $0),
                withDestinationPath: path("val", $0)
            )
        },
        Change(
            testDescription: "a link leads nowhere",
            code: "evaluation.file-missing",
            named: "val/Zebra/gone.png"
        ) {
            try FileManager.default.createSymbolicLink(
                atPath: path("val/Zebra/gone.png", $0),
                withDestinationPath: path("nothing", $0)
            )
        },
        Change(
            testDescription: "a sample is no image",
            code: "media.format-unknown",
            named: "val/Zebra/7.png"
        ) { try write("no image", "val/Zebra/7.png", $0) },
        Change(
            testDescription: "a sample is truncated",
            code: "media.damaged",
            named: "val/Zebra/7.png"
        ) { folder in
            let file = URL(filePath: path("val/Zebra/7.png", folder))
            try Data(try Data(contentsOf: file).dropLast(20)).write(to: file)
        },
        Change(
            testDescription: "a sample is empty",
            code: "media.format-unknown",
            named: "val/Zebra/7.png"
        ) { try write("", "val/Zebra/7.png", $0) },
        Change(
            testDescription: "a sample is a video",
            code: "evaluation.data-unsuitable",
            named: "val/Zebra/7.png"
        ) { folder in
            try remove("val/Zebra/7.png", folder)
            try FileManager.default.copyItem(
                atPath: "\(SampleEvaluation.root)/Tests/Vectors/media/videos/h264.mp4",
                toPath: path("val/Zebra/7.png", folder)
            )
        },
    ]

    @Test(arguments: changes)
    func classFoldersThatContradictASuiteAreRefused(change: Change) async throws {
        try await TemporaryFolder.with { folder in
            try Self.copyImages(to: folder)
            let before = try await HeldEvaluation.images(
                .neighbours,
                data: folder.path(of: "images")
            )
            #expect(try before.split("val").samples.count == 16)
            try change.make(folder)
            let error = await #expect(throws: ZooError.self) {
                _ = try await HeldEvaluation.images(.neighbours, data: folder.path(of: "images"))
                    .report(in: folder.path(of: "work"))
            }
            #expect(error?.code.rawValue == change.code, "\(error.map { "\($0)" } ?? "no error")")
            #expect(error?.message.contains(change.named) == true, "\(error?.message ?? "")")
            #expect(error?.remedy != nil)
        }
    }

    /// Hidden files, which systems leave behind, are no samples, and a linked folder is what it leads to.
    @Test func hiddenFilesAndLinkedFoldersAreAccepted() async throws {
        try await TemporaryFolder.with { folder in
            try Self.copyImages(to: folder)
            let plain = try await HeldEvaluation.images(.neighbours).digest("val")
            try Self.write("x", "val/.DS_Store", folder)
            try Self.write("x", "val/Zebra/.7.png.part", folder)
            try Self.move("val", "elsewhere", folder)
            try FileManager.default.createSymbolicLink(
                atPath: Self.path("val", folder),
                withDestinationPath: Self.path("elsewhere", folder)
            )
            let sample = try await HeldEvaluation.images(
                .neighbours,
                data: folder.path(of: "images")
            )
            #expect(try sample.digest("val") == plain)
        }
    }

    /// One changed bit anywhere gives another digest, other stored results, and no number under an expected digest.
    @Test func everyChangedByteIsNoticed() async throws {
        try await TemporaryFolder.with { folder in
            try Self.copyImages(to: folder)
            let images = folder.path(of: "images")
            let before = try await HeldEvaluation.images(.neighbours, data: images)
            let digest = try before.digest("val")
            let wanted = HeldEvaluation.imagesDocument(.neighbours, digest: digest)
            _ = try await HeldEvaluation(wanted, model: before.model.folder, data: images)
            for sample in try before.split("val").samples {
                let file = URL(filePath: "\(images)/\(sample.path)")
                let sound = try Data(contentsOf: file)
                var changed = sound
                changed[sound.count / 2] ^= 1
                try changed.write(to: file)
                #expect(
                    try await HeldEvaluation.images(.neighbours, data: images).digest("val")
                        != digest
                )
                let error = await #expect(throws: ZooError.self) {
                    _ = try await HeldEvaluation(wanted, model: before.model.folder, data: images)
                }
                #expect(error?.code.rawValue == "evaluation.data-differs")
                try sound.write(to: file)
            }
            try Self.move("val/Zebra/7.png", "val/Zebra/6.png", folder)
            #expect(
                try await HeldEvaluation.images(.neighbours, data: images).digest("val") != digest
            )
        }
    }

    /// A file that changes after it was hashed gives no number.
    @Test func aFileThatChangesDuringARunIsNoticed() async throws {
        try await TemporaryFolder.with { folder in
            try Self.copyImages(to: folder)
            let images = folder.path(of: "images")
            let run = try await HeldEvaluation.images(.neighbours, data: images).run()
            // Another image that can be decoded.
            try Self.remove("val/Zebra/7.png", folder)
            try Self.copy("val/Zebra/10.png", "val/Zebra/7.png", folder)
            let error = await #expect(throws: ZooError.self) {
                try await run.compute(in: folder.path(of: "work"))
            }
            #expect(error?.code.rawValue == "io.changed")
            #expect(error?.message.contains("val/Zebra/7.png") == true)
        }
    }

    @Test(arguments: [
        ("\"fit\":\"train\"", "\"fit\":\"val\"", "evaluation.data-unsuitable"),
        // Both splits hold the same files.
        (
            "\"count\":32,\"layout\":{\"folder\":\"train\"",
            "\"count\":16,\"layout\":{\"folder\":\"val\"", "evaluation.data-unsuitable"
        ),
        ("\"fit\":\"train\"", "\"fit\":\"test\"", "evaluation.data-unsuitable"),
        ("\"label\":\"class\"", "\"label\":\"colour\"", "evaluation.data-unsuitable"),
        ("\"raw\":false", "\"raw\":true", "format.field-invalid"),
        ("\"input\":\"images\"", "\"input\":\"values\"", "format.field-invalid"),
        ("\"input\":\"images\"", "\"input\":\"frames\"", "format.field-invalid"),
        ("meta-image", "none", "format.field-invalid"),
        ("\"split\":\"val\"", "\"split\":\"test\"", "format.field-invalid"),
        ("\"name\":\"val\"", "\"name\":\"train\"", "format.field-invalid"),
        ("\"name\":\"pictures\"", "\"name\":\"../x\"", "format.field-invalid"),
        ("\"folder\":\"val\"", "\"folder\":\"../val\"", "format.field-invalid"),
        ("\"folder\":\"val\"", "\"folder\":\"/val\"", "format.field-invalid"),
        ("\"kind\":\"class-folders\"", "\"kind\":\"folders\"", "format.field-invalid"),
        ("\"count\":16", "\"count\":0", "format.field-invalid"),
        ("\"count\":16", "\"count\":17", "evaluation.data-differs"),
    ])
    func wrongDefinitionsAreRefused(found: String, replacement: String, code: String) async throws {
        let text = String(
            decoding: HeldEvaluation.imagesDocument(.neighbours).canonicalBytes,
            as: UTF8.self
        )
        try #require(text.contains(found), "\(found)")
        let value = try JSONValue(parsing: Array(text.replacing(found, with: replacement).utf8))
        let error = await #expect(throws: ZooError.self) {
            let sample = try await HeldEvaluation(
                value,
                model: "\(SampleEvaluation.vectors)/probes/pictures",
                data: "\(HeldEvaluation.vectors)/images"
            )
            _ = try await sample.run()
        }
        #expect(error?.code.rawValue == code, "\(error.map { "\($0)" } ?? "no error")")
    }

    // MARK: Files

    static func copyImages(to folder: TemporaryFolder) throws {
        try FileManager.default.copyItem(
            atPath: "\(HeldEvaluation.vectors)/images",
            toPath: folder.path(of: "images")
        )
    }

    static func path(_ name: String, _ folder: TemporaryFolder) -> String {
        folder.path(of: "images/\(name)")
    }

    static func remove(_ name: String, _ folder: TemporaryFolder) throws {
        try FileManager.default.removeItem(atPath: path(name, folder))
    }

    static func copy(_ old: String, _ new: String, _ folder: TemporaryFolder) throws {
        try FileManager.default.copyItem(atPath: path(old, folder), toPath: path(new, folder))
    }

    static func move(_ old: String, _ new: String, _ folder: TemporaryFolder) throws {
        try FileManager.default.moveItem(atPath: path(old, folder), toPath: path(new, folder))
    }

    static func write(_ text: String, _ name: String, _ folder: TemporaryFolder) throws {
        try folder.write(Array(text.utf8), to: "images/\(name)")
    }
}
