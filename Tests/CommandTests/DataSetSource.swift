// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting

/// The folder of a generated data set, which a test changes before it packs it.
struct DataSetSource {
    /// How the samples of the data set are stored.
    enum Form: String, CaseIterable, CustomTestStringConvertible {
        /// Images in class folders: 3 classes, two splits.
        case folders
        /// A safetensors split and an image split, with labels in a CSV file.
        case table
        var testDescription: String { rawValue }
    }

    private let zoo: Program
    private let temporary: TemporaryFolder
    /// The folder.
    let path: String
    /// The reference of the data set.
    let name: String

    /// The description, as text.
    var description: String

    init(_ form: Form, with zoo: Program, in folder: TemporaryFolder) throws {
        (self.zoo, temporary) = (zoo, folder)
        path = folder.path(of: "data")
        name = "test/\(form.rawValue)"
        var contents = ""
        switch form {
        case .folders:
            for (number, kind) in ["circle", "cross", "square"].enumerated() {
                for index in 0..<4 {
                    let split = index == 3 ? "test" : "train"
                    try folder.write(
                        Self.noise(700 + number, seed: UInt64(number * 10 + index)),
                        to: "data/\(split)/\(kind)/\(index).png"
                    )
                }
            }
            contents = """
                modality: image
                splits:
                  - {name: train, count: 9, files: [train/]}
                  - {name: test, count: 3, files: [test/circle/3.png, test/cross/, test/square/]}
                labels: {kind: folders, classes: 3}
                """
        case .table:
            let samples = Self.noise(600_000, seed: 7)
            let header = Array(
                #"{"x":{"dtype":"U8","shape":[3,200000],"data_offsets":[0,600000]}}     "#.utf8
            )
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            try folder.write(length + header + samples, to: "data/train/a.safetensors")
            try folder.write(Self.noise(900, seed: 3), to: "data/test/0, first.png")
            try folder.write(Self.noise(901, seed: 4), to: "data/test/1.png")
            try folder.write(
                Array(
                    """
                    path,sample,class\r
                    train/a.safetensors,0,left\r
                    train/a.safetensors,1,right\r
                    train/a.safetensors,2,left\r
                    "test/0, first.png",0,right\r
                    test/1.png,0,left\r

                    """.utf8
                ),
                to: "data/labels.csv"
            )
            contents = """
                modality: image
                splits:
                  - {name: train, count: 3, files: [train/]}
                  - {name: test, count: 2, files: [test/]}
                labels: {kind: csv, path: labels.csv, classes: 2}
                """
        }
        try folder.write(Array("# Data\n".utf8), to: "data/README.md")
        description = """
            kind: dataset
            name: \(name)
            version: "1.0.0"
            summary: Shapes without meaning.
            authors: [somebody]
            licence: CC0-1.0
            created: 2026-01-31T12:00:00Z
            lineage: {kind: generated, generator: shapes.py, seed: 20260131, colours: [red, blue]}
            \(contents)
            """
    }

    /// Writes or replaces a file of the folder.
    func write(_ text: String, to name: String) throws {
        try temporary.write(Array(text.utf8), to: "data/\(name)")
    }

    /// Packs the folder.
    func pack(into output: String, _ options: String...) async throws -> ProgramRun {
        try write(description, to: "dataset.yaml")
        return try await ProgramRun(
            Program.executable,
            ["pack", path, "--output", output, "--json"] + options,
            environment: zoo.environment
        )
    }

    /// Packs the folder into a new registry folder, and returns that.
    func registry() async throws -> String {
        let registry = temporary.path(of: "datasets")
        let made = try await zoo("registry", "init", registry)
        try #require(made.status == 0, "\(made.errors)")
        let run = try await pack(into: registry)
        try #require(run.status == 0, "\(run.output)\(run.errors)")
        return registry
    }

    /// Whether a folder has exactly the files of the release.
    func isEqual(to folder: String) async throws -> Bool {
        try await ProgramRun(
            "diff",
            ["-r", "-x", ".ami-zoo", "-x", "dataset.yaml", path, folder]
        ).status == 0
    }

    /// Bytes without pattern, the same on every run.
    private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &+ 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }
}
