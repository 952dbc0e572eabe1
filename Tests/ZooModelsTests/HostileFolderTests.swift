// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// Model folders with a configuration or weights that are wrong: refused with an error, or run; never a
/// trap, nor memory without bounds.
@Suite struct HostileFolderTests {
    /// Values that take the place of every member of a configuration.
    private static let absurd: [JSONValue] = [
        0, -1, 1, 7, 4096, .integer(JSONValue.largestInteger), .number(0.5), .number(1e308),
        "many", .bool(false),
    ]

    @Test(arguments: SmallModels.all)
    func configurations(name: String) async throws {
        let (release, owner) = try await SmallModels.folder(name)
        defer { withExtendedLifetime(owner) {} }
        let path = "\(release)/config.json"
        let original = try Data(contentsOf: URL(filePath: path))
        guard case .object(let members) = try JSONValue(parsing: Array(original)) else {
            Issue.record("the configuration is no object")
            return
        }
        let sound = await Self.failure(of: release)
        #expect(sound == nil, "unchanged: \(String(describing: sound))")
        for (member, value) in members.sorted(by: { $0.key < $1.key }) where member != "id2label" {
            for change in [nil] + Self.absurd.map(Optional.some) where change != value {
                var changed = members
                changed[member] = change
                try Data(JSONValue.object(changed).canonicalBytes).write(to: URL(filePath: path))
                let failure = await Self.failure(of: release)
                #expect(
                    failure == nil || failure is ZooError,
                    "\(member) = \(String(describing: change)): \(String(describing: failure))"
                )
            }
        }
    }

    /// Every tensor in turn is missing, of another rank, and not a number.
    @Test(arguments: SmallModels.all)
    func weights(name: String) async throws {
        let (release, owner) = try await SmallModels.folder(name)
        defer { withExtendedLifetime(owner) {} }
        let path = "\(release)/model.safetensors"
        let checkpoint = try Checkpoint(opening: path)
        var tensors: [String: StoredTensor] = [:]
        for tensor in checkpoint.tensors { tensors[tensor.name] = checkpoint[tensor.name] }
        for (tensor, stored) in tensors.sorted(by: { $0.key < $1.key }) {
            // One block stands for all.
            guard !tensor.split(separator: ".").contains(where: { Int($0) ?? 0 > 0 }) else {
                continue
            }
            let shape = stored.shape
            var wrong: [StoredTensor?] = [nil]
            if shape.elementCount > 1, stored.dtype == .f32 {
                let flat: Shape = [1, 1, 1, 1, 1, shape.elementCount]
                wrong.append(StoredTensor(Tensor(shape: flat, values: stored.tensor.values)))
            }
            for change in wrong {
                var changed = tensors
                changed[tensor] = change
                try SafetensorsWriter.write(changed, to: path)
                // Counters of batch norms, states of V-JEPA 2-AC and its extrinsics may be missing.
                let failure = await Self.failure(of: release)
                #expect(
                    failure is ZooError || (change == nil && failure == nil),
                    "\(tensor) as \(String(describing: change?.shape)): \(String(describing: failure))"
                )
            }
            guard stored.dtype == .f32 else { continue }
            var changed = tensors
            changed[tensor] = StoredTensor(
                Tensor(shape: shape, values: Array(repeating: .nan, count: shape.elementCount))
            )
            try SafetensorsWriter.write(changed, to: path)
            let failure = await Self.failure(of: release)
            #expect(failure == nil || failure is ZooError, "\(tensor): not a number")
        }
    }

    /// What says nothing is not given as a result.
    @Test(arguments: [
        ("vjepa2", "encoder.layernorm.weight"), ("ijepa", "layernorm.weight"),
        ("lewm", "encoder.layernorm.weight"), ("vjepa", "predictor.predictor_norm.bias"),
        ("vjepa2-probe", "classifier.bias"), ("series-jepa", "encoder.norm.weight"),
    ])
    func resultsThatAreNotNumbers(name: String, damaged: String) async throws {
        let (release, owner) = try await SmallModels.folder(name)
        defer { withExtendedLifetime(owner) {} }
        let path = "\(release)/model.safetensors"
        let checkpoint = try Checkpoint(opening: path)
        var tensors: [String: StoredTensor] = [:]
        for tensor in checkpoint.tensors { tensors[tensor.name] = checkpoint[tensor.name] }
        let shape = try #require(tensors[damaged]).shape
        tensors[damaged] = StoredTensor(
            Tensor(shape: shape, values: Array(repeating: .infinity, count: shape.elementCount))
        )
        try SafetensorsWriter.write(tensors, to: path)
        await #expect(throws: ZooError(.resultNotFinite, "")) { try await SmallModels.run(release) }
    }

    @Test(arguments: ["vjepa", "vjepa2", "vjepa21", "vjepa2-ac"])
    func framesBeyondAllMeasure(name: String) async throws {
        let files = try await ConvertedCase(name)
        let model = try ModelFamily.load(folder: files.release)
        for last in [1 << 24, 1 << 40, Int.max - 1] {
            #expect(throws: ZooError(.tokenSelectionInvalid, "")) {
                try model.tokens(ofFrames: 0..<last, batch: 1)
            }
        }
    }

    /// The tokens of a frame are others in a clip of another size.
    @Test func surpriseAtClipsOfAnotherSize() async throws {
        let files = try await ConvertedCase("vjepa2")
        let model = try ModelFamily.load(folder: files.release)
        let method = try SurpriseProtocol(window: 4, contexts: [2])
        let found = try await Surprise.measure(
            Tensor(zeros: [1, 4, 3, 16, 16]),
            with: model,
            by: method
        )
        #expect(found.videos[0].count == 1)
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await Surprise.measure(Tensor(zeros: [1, 4, 3, 20, 20]), with: model, by: method)
        }
    }

    /// A distilled V-JEPA 2.1 predicts features of its teacher, which no probe of it reads.
    @Test func probesForAnticipationNeedPredictionsOfTheirWidth() async throws {
        let (files, probe) = (
            try await ConvertedCase("vjepa21-distilled"), try await ConvertedCase("vjepa2-ek100")
        )
        let classifier = try VideoClassifier(folder: files.release, probe: probe.release)
        await #expect(throws: ZooError(.probeMismatch, "")) {
            try await classifier.classify(Tensor(zeros: [1, 4, 3, 16, 16]))
        }
    }

    /// Loads a folder and runs all that it can do on small inputs; gives what went wrong.
    private static func failure(of folder: String) async -> (any Error)? {
        do {
            _ = try await SmallModels.run(folder)
            return nil
        } catch { return error }
    }
}
