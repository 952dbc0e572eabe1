// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

/// A copy of a model of this project, which tests change and validate on the data of the embedded registry.
struct ControlModel {
    let zoo: Program
    /// The folder of the model.
    let source: String
    private let folder: TemporaryFolder
    private let pristine: String

    /// Copies a model of `models/ami`, with some of its suites and the claims of those.
    init(_ name: String, suites: [String], in folder: TemporaryFolder) throws {
        let model = "\(Program.root)models/ami/\(name)"
        let yaml = try String(contentsOfFile: "\(model)/model.yaml", encoding: .utf8)
        let parts = yaml.components(separatedBy: "  - suite: ")
        let claims = parts.dropFirst().filter { claim in
            suites.contains { claim.hasPrefix("\($0)\n") }
        }
        // Another name, so that there is no previous version.
        let head = parts[0].replacing("name: ami/", with: "name: test/")
            .replacing("evaluation:\n", with: claims.isEmpty ? "" : "evaluation:\n")
        try self.init(
            copying: "\(model)/release",
            description: ([head] + claims).joined(separator: "  - suite: "),
            in: folder
        )
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(pristine)/suites")
        where !suites.contains(String(file.dropLast(".json".count))) {
            try FileManager.default.removeItem(atPath: "\(pristine)/suites/\(file)")
        }
        try restore()
    }

    /// Copies a folder with weights, and describes it.
    init(copying release: String, description: String, in folder: TemporaryFolder) throws {
        self.folder = folder
        zoo = Program(in: folder)
        source = folder.path(of: "control")
        pristine = folder.path(of: "pristine")
        try FileManager.default.copyItem(atPath: release, toPath: pristine)
        try folder.write(Array(description.utf8), to: "pristine/model.yaml")
        try restore()
    }

    private func restore() throws {
        try? FileManager.default.removeItem(atPath: source)
        try FileManager.default.copyItem(atPath: pristine, toPath: source)
    }

    /// Makes a change that stays.
    func keep(_ change: () throws -> Void) throws {
        try change()
        try FileManager.default.removeItem(atPath: pristine)
        try FileManager.default.copyItem(atPath: source, toPath: pristine)
    }

    /// Removes the claims of the model.
    func forgetClaims() throws {
        let yaml = String(decoding: try folder.read("control/model.yaml"), as: UTF8.self)
        let head = yaml.components(separatedBy: "evaluation:\n")[0]
        try folder.write(Array(head.utf8), to: "control/model.yaml")
    }

    /// Replaces the claims of the model by what a suite in an environment measured.
    func claim(_ report: JSONObject, of suite: String, tolerance: Double) throws {
        let yaml = String(decoding: try folder.read("control/model.yaml"), as: UTF8.self)
        let claims = try report.objects("metrics", maximum: 100).map { metric in
            """
              - suite: \(suite)
                suiteDigest: "\(try report.string("suiteDigest"))"
                dataset: an environment
                metric: "\(try metric.string("name"))"
                unit: \(try metric.string("unit"))
                direction: \(try metric.string("direction"))
                value: \(try metric.number("value"))
                tolerance: \(tolerance)
                status: measured
                source: ami-zoo evaluate
            """
        }
        let head = yaml.components(separatedBy: "evaluation:\n")[0]
        let text = head + "evaluation:\n" + claims.joined(separator: "\n") + "\n"
        try folder.write(Array(text.utf8), to: "control/model.yaml")
    }

    /// Validates the model with a change, and undoes the change.
    func validated(
        _ options: [String] = [],
        after change: () throws -> Void = {}
    ) async throws -> ControlVerdict {
        try change()
        let run = try await run("validate", ["--json"] + options)
        try restore()
        #expect([0, 1].contains(run.status), "\(run.output)\(run.errors)")
        return try ControlVerdict(run)
    }

    /// Runs a command on the model as it is.
    func run(_ command: String, _ options: [String] = []) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            [command, source, "--registry", "\(Program.root)registry/embedded"] + options,
            environment: zoo.environment
        )
    }

    /// Replaces a text in a file of the model.
    func replace(_ old: String, with new: String, in file: String) throws {
        let text = String(decoding: try folder.read("control/\(file)"), as: UTF8.self)
        try #require(text.contains(old), "'\(old)' in \(file)")
        try folder.write(Array(text.replacing(old, with: new).utf8), to: "control/\(file)")
    }

    /// Changes the tensors of the weights, or of another file.
    func editWeights(
        in file: String = "model.safetensors",
        _ change: (inout [String: StoredTensor]) throws -> Void
    ) throws {
        let path = "\(source)/\(file)"
        let file = try Checkpoint(opening: path)
        var tensors: [String: StoredTensor] = [:]
        for tensor in file.tensors { tensors[tensor.name] = file[tensor.name] }
        try change(&tensors)
        // The tensors are views of the mapped file, which stays until they are written.
        try SafetensorsWriter.write(tensors, metadata: file.metadata, to: path)
    }

    /// Weights as they are before training: norms are the identity, biases are 0, the rest is random with the std 0.02.
    func forgetTraining() throws {
        try editWeights { tensors in
            var random = SeededBits(state: 7)
            for name in tensors.keys.sorted() {
                guard let tensor = tensors[name], tensor.dtype == .f32 else { continue }
                let isScale = name.hasSuffix("weight") || name.hasSuffix("running_var")
                let fill: Float = isScale ? 1 : 0
                let isRandom = tensor.shape.rank > 1
                tensors[name] = StoredTensor(
                    Tensor(
                        shape: tensor.shape,
                        values: (0..<tensor.shape.elementCount).map { _ in
                            isRandom ? 0.0346 * (2 * random.uniform() - 1) : fill
                        }
                    )
                )
            }
        }
    }
}

/// Uniform random numbers of a linear congruential generator (Knuth's MMIX).
struct SeededBits {
    var state: UInt64

    mutating func uniform() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24)
    }
}

extension [String: StoredTensor] {
    /// Changes the numbers of an F32 tensor.
    mutating func edit(_ name: String, _ change: ([Float]) -> [Float]) throws {
        let tensor = try #require(self[name], "\(name)")
        self[name] = StoredTensor(Tensor(shape: tensor.shape, values: change(tensor.tensor.values)))
    }

    /// Exchanges two tensors.
    mutating func swap(_ one: String, _ other: String) throws {
        let (first, second) = (try #require(self[one]), try #require(self[other]))
        (self[one], self[other]) = (second, first)
    }
}

/// What a validation said about a changed model.
struct ControlVerdict {
    let passed: Bool
    /// The stages of the suite `golden` that differ by more than their tolerance, in order.
    let stages: [String]
    /// The results of checks.
    let checks: [String: String]
    /// The messages of errors, by check.
    let messages: [String: [String]]
    /// The outcomes of claims, by suite and metric.
    let outcomes: [String: String]

    init(_ run: ProgramRun) throws {
        let report = try run.document
        passed = try report.string("result") == "passed"
        #expect(passed == (run.status == 0))
        stages = try report.objects("evaluations", maximum: 10)
            .filter { try $0.string("suite") == "golden" }
            .flatMap { try $0.objects("metrics", maximum: 100) }
            .filter { try $0.number("value") > $0.object("limit").number("value") }
            .map { try $0.string("name").replacing("difference, ", with: "") }
        var (checks, messages): ([String: String], [String: [String]]) = ([:], [:])
        for check in try report.objects("checks", maximum: 10) {
            let name = try check.string("name")
            checks[name] = try check.string("result")
            messages[name] = try check.objects("findings", maximum: 1000)
                .filter { try $0.string("severity") == "error" }.map { try $0.string("message") }
        }
        (self.checks, self.messages) = (checks, messages)
        var outcomes: [String: String] = [:]
        for claim in try report.objects("claims", maximum: 1000) {
            outcomes["\(try claim.string("suite")): \(try claim.string("metric"))"] =
                try claim.string("outcome")
        }
        self.outcomes = outcomes
    }

    /// Expects that the outputs of the reference implementation caught the fault: each stage that differs is named, and
    /// `first` is the first of them.
    func expectGolden(_ what: String, first: String) {
        #expect(!passed && checks["parity"] == "failed", "\(what): \(checks)")
        #expect(stages.first == first, "\(what): \(stages)")
        let found = messages["parity"] ?? []
        #expect(found.count == stages.count, "\(what): \(found)")
        for (stage, message) in zip(stages, found) {
            #expect(
                message.contains("the suite 'golden' found 'difference, \(stage)'"),
                "\(what): \(message)"
            )
        }
    }
}
