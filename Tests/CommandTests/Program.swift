// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The built program, with a store of its own.
struct Program {
    /// The source tree.
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path()

    /// A registry folder with two releases that never change: those of the first versions of ami/ball-drop.
    static let embedded = "\(root)Tests/Vectors/releases"

    /// A clip that the model of the embedded registry has not seen in training.
    static let clip = "\(root)models/ami/ball-drop/clips/held-out-1.safetensors"

    /// The executable that this build made.
    static let executable: String = {
        #if os(Linux)
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appending(path: "ami-zoo").path()
        #else
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        return bundle?.bundleURL.deletingLastPathComponent().appending(path: "ami-zoo").path() ?? ""
        #endif
    }()

    /// The folder of the local store.
    let store: String

    /// What the program finds around it: nothing of the person who runs the tests.
    var environment: [String: String] {
        [
            "AMI_ZOO_HOME": store, "AMI_ZOO_REGISTRY": Self.embedded,
            "XDG_CONFIG_HOME": "\(store)-config", "no_proxy": "*",
        ]
    }

    init(in folder: TemporaryFolder, store: String = "store") {
        self.store = folder.path(of: store)
    }

    /// Runs a command to its end.
    func callAsFunction(_ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(Self.executable, arguments, environment: environment)
    }

    /// Starts a command.
    func start(_ arguments: [String], output: String? = nil) throws -> ChildProcess {
        try ChildProcess(Self.executable, arguments, environment: environment, output: output)
    }
}

extension ProgramRun {
    /// The JSON document on standard output.
    var document: JSONObject {
        get throws { try JSONObject(JSONValue(parsing: Array(output.utf8)), at: "") }
    }

    /// A text at the top of the JSON document.
    func text(_ name: String) throws -> String {
        guard case .string(let text)? = try document.value(name) else {
            throw ZooError(.fieldInvalid, "no text '\(name)' in \(output)")
        }
        return text
    }

    /// A whole number at the top of the JSON document.
    func integer(_ name: String) throws -> Int {
        guard case .integer(let number)? = try document.value(name) else {
            throw ZooError(.fieldInvalid, "no number '\(name)' in \(output)")
        }
        return number
    }

    /// The code of the failure that the JSON document tells.
    var errorCode: String? {
        guard case .object(let error)? = try? document.value("error"),
            case .string(let code)? = error["code"]
        else { return nil }
        return code
    }
}

/// A registry folder with one release of random weights, made by `pack` and `registry index`.
struct PackedModel {
    /// The registry folder.
    let registry: String
    /// The folder that was packed.
    let source: String

    /// Packs a model of `tensors` tensors of 2 MiB each.
    init(
        tensors: Int,
        with zoo: Program,
        in folder: TemporaryFolder,
        compression: String = "none"
    ) async throws {
        registry = folder.path(of: "registry")
        source = folder.path(of: "source")
        try folder.write(Self.weights(tensors: tensors), to: "source/model.safetensors")
        try folder.write(Array(#"{"model_type":"sample"}"#.utf8), to: "source/config.json")
        try folder.write(Array(Self.description.utf8), to: "source/model.yaml")
        for run in [
            try await zoo("registry", "init", registry),
            try await zoo(
                "pack",
                source,
                "--output",
                registry,
                "--compression",
                compression,
                "--unvalidated",
                "random weights"
            ),
            try await zoo("registry", "index", registry),
        ] { try #require(run.status == 0, "\(run.errors)") }
    }

    static let tensorSize = 2 << 20

    private static func weights(tensors: Int) -> [UInt8] {
        let entries = (0..<tensors).map { index in
            """
            "t\(index)":{"dtype":"U8","shape":[\(tensorSize)],\
            "data_offsets":[\(index * tensorSize),\((index + 1) * tensorSize)]}
            """
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        while header.count % 8 != 0 { header.append(0x20) }
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        // Numbers without pattern, so that every block differs and none is shrunk.
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var bytes = length + header
        bytes.reserveCapacity(bytes.count + tensors * tensorSize)
        for _ in 0..<tensors * tensorSize / 8 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            unsafe withUnsafeBytes(of: state) { unsafe bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    static let description = """
        name: test/random
        version: "1.0.0"
        summary: Numbers without meaning.
        authors: [somebody]
        licence: Apache-2.0
        created: 2026-01-31T12:00:00Z
        architecture: {family: sample, variant: tiny, configuration: {}}
        inputs: {modality: image, frames: 1, height: 1, width: 1, channels: rgb, layout: BCHW,
                 preprocessing: {orientation: upright, resize: {rule: none}, resampling: none,
                                 crop: {rule: none}, rescale: 0.00392156862745098,
                                 mean: [0, 0, 0], std: [1, 1, 1]}}
        components: [{name: all, files: [model.safetensors]}]
        lineage: {kind: trained}
        """
}
