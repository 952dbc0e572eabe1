// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

@Suite struct WeightScopeTests {
    private func scope(_ tensors: [String: Tensor]) throws -> WeightScope {
        let folder = try TemporaryFolder()
        try SafetensorsWriter.write(tensors, to: "\(folder.path)/model.safetensors")
        return WeightScope(try Checkpoint(opening: folder.path))
    }

    @Test func scopesAddUpToFullNames() throws {
        let root = try scope(["layer.3.norm.weight": Tensor(shape: [2], values: [1, 2])])
        let norm = root.scope("layer").scope(3).scope("norm")
        #expect(norm.fullName("weight") == "layer.3.norm.weight")
        #expect(try norm.values("weight", shape: [2]).values == [1, 2])
        try root.requireComplete()
    }

    @Test func allProblemsAreReportedTogether() throws {
        let root = try scope([
            "good": Tensor(zeros: [1]), "shape": Tensor(zeros: [2, 3]), "extra": Tensor(zeros: [1]),
        ])
        _ = try root.tensor("good", shape: [1])
        #expect(try root.values("shape", shape: [3, 2]).values == [0, 0, 0, 0, 0, 0])
        #expect(try root.values("absent", shape: [1]).values == [0])
        let error = #expect(throws: ZooError(.tensorMissing, "")) { try root.requireComplete() }
        let message = error?.message ?? ""
        for part in ["'absent'", "'shape' is [2, 3] and must be [3, 2]", "'extra'"] {
            #expect(message.contains(part))
        }
    }

    @Test func aWeightNobodyAskedForIsAnError() throws {
        let root = try scope(["a": Tensor(zeros: [1]), "b": Tensor(zeros: [1])])
        _ = try root.tensor("a", shape: [1])
        #expect(throws: ZooError(.tensorUnclaimed, "")) { try root.requireComplete() }
    }

    @Test func aWrongShapeAloneHasItsOwnCode() throws {
        let root = try scope(["a": Tensor(zeros: [1])])
        _ = try root.tensor("a", shape: [1, 1])
        #expect(throws: ZooError(.tensorShapeMismatch, "")) { try root.requireComplete() }
    }

    @Test func typesThatDoNotComputeAreRefused() throws {
        let checkpoint = try Checkpoint(opening: "\(vectors)/safetensors/ok-all-types.safetensors")
        let root = WeightScope(checkpoint)
        for tensor in checkpoint.tensors { _ = try root.tensor(tensor.name, shape: tensor.shape) }
        #expect(throws: ZooError(.tensorDTypeMismatch, "")) { try root.requireComplete() }
    }
}
