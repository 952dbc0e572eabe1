// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// What `pack` refuses in the folder or the description of a data set.
@Suite struct DataSetRefusalTests {
    /// A change that makes a data set invalid.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let form: DataSetSource.Form
        let code: String
        /// A text that the message has.
        let message: String
        /// Texts of the description and their replacements.
        var replaced: [(String, String)] = []
        /// Files to write.
        var written: [String: String] = [:]
        /// A file to remove.
        var removed: String?
    }

    private static let table = "path,sample,class\n"

    static let faults = [
        Fault(
            testDescription: "a split lists a file that is not there",
            form: .folders,
            code: "pack.split-file-missing",
            message: "'test/circle/3.png'",
            removed: "test/circle/3.png"
        ),
        Fault(
            testDescription: "a split lists a folder that is not there",
            form: .folders,
            code: "pack.split-file-missing",
            message: "'training/'",
            replaced: [("[train/]", "[training/]")]
        ),
        Fault(
            testDescription: "a split lists a folder without the slash",
            form: .folders,
            code: "pack.split-file-missing",
            message: "'train'",
            replaced: [("[train/]", "[train]")]
        ),
        Fault(
            testDescription: "a split has no files",
            form: .folders,
            code: "pack.split-empty",
            message: "'train' has no files",
            replaced: [("[train/]", "[]")]
        ),
        Fault(
            testDescription: "a split has no samples",
            form: .folders,
            code: "pack.split-empty",
            message: "the count 0",
            replaced: [("count: 9", "count: 0")]
        ),
        Fault(
            testDescription: "a split lists a file twice",
            form: .folders,
            code: "format.field-invalid",
            message: "twice",
            replaced: [("[train/]", "[train/, train/cross/]")]
        ),
        Fault(
            testDescription: "a path leaves the folder",
            form: .folders,
            code: "release.path-unsafe",
            message: "'../x'",
            replaced: [("[train/]", "[../x]")]
        ),
        Fault(
            testDescription: "a file belongs to no split",
            form: .folders,
            code: "pack.file-unassigned",
            message: "'validation/circle/0.png'",
            written: ["validation/circle/0.png": "x"]
        ),
        Fault(
            testDescription: "a document is not at the top",
            form: .folders,
            code: "pack.file-unassigned",
            message: "'notes/README.md'",
            written: ["notes/README.md": "x"]
        ),
        Fault(
            testDescription: "more class folders than classes",
            form: .folders,
            code: "dataset.labels-invalid",
            message: "4 class folders",
            written: ["train/star/0.png": "x"]
        ),
        Fault(
            testDescription: "fewer class folders than classes",
            form: .folders,
            code: "dataset.labels-invalid",
            message: "the description states 4",
            replaced: [("classes: 3", "classes: 4")]
        ),
        Fault(
            testDescription: "a sample in no class folder",
            form: .folders,
            code: "dataset.labels-invalid",
            message: "'x.png' lies in no folder",
            replaced: [("[train/]", "[train/, x.png]")],
            written: ["x.png": "x"]
        ),
        Fault(
            testDescription: "labels of an unknown kind",
            form: .folders,
            code: "format.field-invalid",
            message: "'names'",
            replaced: [("kind: folders", "kind: names")]
        ),
        Fault(
            testDescription: "the label table is not there",
            form: .table,
            code: "dataset.labels-invalid",
            message: "no label table 'labels.csv'",
            removed: "labels.csv"
        ),
        Fault(
            testDescription: "a row names a file that is not there",
            form: .table,
            code: "dataset.labels-invalid",
            message: "row 2 of 'labels.csv' names 'test/9.png'",
            written: ["labels.csv": table + "test/9.png,0,left\n"]
        ),
        Fault(
            testDescription: "a row names a file of no split",
            form: .table,
            code: "dataset.labels-invalid",
            message: "'README.md', which is not a file of a split",
            written: ["labels.csv": table + "test/1.png,0,left\nREADME.md,0,left\n"]
        ),
        Fault(
            testDescription: "the rows name another number of classes",
            form: .table,
            code: "dataset.labels-invalid",
            message: "names 1 classes, and the description states 2",
            written: ["labels.csv": table + "test/1.png,0,left\n"]
        ),
        Fault(
            testDescription: "a table without the columns",
            form: .table,
            code: "dataset.labels-invalid",
            message: "must name the columns",
            written: ["labels.csv": "test/1.png,left\n"]
        ),
        Fault(
            testDescription: "a row labels a sample again",
            form: .table,
            code: "dataset.labels-invalid",
            message: "row 3 of the label table labels 'test/1.png' a second time",
            written: ["labels.csv": table + "test/1.png,0,left\ntest/1.png,0,right\n"]
        ),
        Fault(
            testDescription: "a quote that is not closed",
            form: .table,
            code: "dataset.labels-invalid",
            message: "not closed",
            written: ["labels.csv": table + "\"test/1.png,0,left\n"]
        ),
        Fault(
            testDescription: "an empty label table",
            form: .table,
            code: "dataset.labels-invalid",
            message: "is empty",
            written: ["labels.csv": ""]
        ),
        Fault(
            testDescription: "a row of too few fields",
            form: .table,
            code: "dataset.labels-invalid",
            message: "row 2 of the label table has 2 fields, expected 3",
            written: ["labels.csv": table + "test/1.png,left\n"]
        ),
        Fault(
            testDescription: "generated data without a generator",
            form: .folders,
            code: "pack.description-invalid",
            message: "'generator'",
            replaced: [("generator: shapes.py, ", "")]
        ),
        Fault(
            testDescription: "generated data without a seed",
            form: .folders,
            code: "pack.description-invalid",
            message: "'seed'",
            replaced: [("seed: 20260131, ", "")]
        ),
        Fault(
            testDescription: "a seed that readers round",
            form: .folders,
            code: "pack.description-invalid",
            message: "'seed'",
            replaced: [("20260131", "9007199254740993")]
        ),
        Fault(
            testDescription: "no kind",
            form: .folders,
            code: "pack.description-invalid",
            message: "does not state its kind",
            replaced: [("kind: dataset\n", "")]
        ),
        Fault(
            testDescription: "an unknown kind",
            form: .folders,
            code: "format.field-invalid",
            message: "'data'",
            replaced: [("kind: dataset\n", "kind: data\n")]
        ),
        Fault(
            testDescription: "no splits",
            form: .folders,
            code: "format.field-invalid",
            message: "'splits' is missing",
            replaced: [("splits:", "parts:")]
        ),
        Fault(
            testDescription: "an unknown modality",
            form: .folders,
            code: "format.field-invalid",
            message: "'picture'",
            replaced: [("modality: image", "modality: picture")]
        ),
    ]

    @Test(arguments: faults)
    func packRefuses(fault: Fault) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var source = try DataSetSource(fault.form, with: zoo, in: folder)
            for (old, new) in fault.replaced {
                #expect(source.description.contains(old))
                source.description = source.description.replacingOccurrences(of: old, with: new)
            }
            for (name, text) in fault.written { try source.write(text, to: name) }
            if let removed = fault.removed {
                try FileManager.default.removeItem(atPath: "\(source.path)/\(removed)")
            }
            let run = try await source.pack(into: folder.path(of: "layout"))
            #expect(run.status == 65, "\(run.output)")
            #expect(run.errorCode == fault.code, "\(run.output)")
            #expect(run.output.contains(fault.message), "\(run.output)")
        }
    }

    /// The description of a data set can have any name, in the folder or outside it.
    @Test(arguments: ["data/about.yaml", "about.yaml"])
    func aDescriptionOfAnotherNameIsNoFileOfTheRelease(place: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let source = try DataSetSource(.folders, with: zoo, in: folder)
            try folder.write(Array(source.description.utf8), to: place)
            let run = try await zoo(
                "pack",
                source.path,
                "--description",
                folder.path(of: place),
                "--output",
                folder.path(of: "layout"),
                "--json"
            )
            #expect(run.status == 0, "\(run.output)")
            let (bytes, same) = (try run.text("digest"), folder.path(of: "same"))
            try? FileManager.default.removeItem(atPath: folder.path(of: "data/about.yaml"))
            #expect(try await source.pack(into: same).text("digest") == bytes)
        }
    }
}
