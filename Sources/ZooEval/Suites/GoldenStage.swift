// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// The largest difference from the reference, and the largest number of the reference, of each stage.
struct GoldenStage: SampleStage {
    private let suite: GoldenSuite
    private let model: GoldenModel
    private let split: TensorSplit
    private let reference: Checkpoint

    init(
        suite: GoldenSuite,
        model: GoldenModel,
        split: TensorSplit,
        reference: Checkpoint
    ) throws(ZooError) {
        self.suite = suite
        self.model = model
        self.split = split
        self.reference = reference
        for stage in suite.stages {
            let tensor = try expected(stage.name)
            guard tensor.shape.rank > 0, tensor.shape[0] == split.count else {
                throw unsuitable(
                    "'\(stage.name)' has the shape \(tensor.shape), and there are \(split.count) samples"
                )
            }
            guard tensor.tensor.values.allSatisfy(\.isFinite) else {
                throw unsuitable("'\(stage.name)' holds numbers that are not finite")
            }
        }
    }

    private func unsuitable(_ what: String) -> ZooError {
        .dataUnsuitable(
            "'\(suite.file)': \(what)",
            remedy: "make the file again with the reference implementation"
        )
    }

    private func expected(_ name: String) throws(ZooError) -> StoredTensor {
        guard let tensor = reference[name], tensor.dtype == .f32 else {
            throw unsuitable("there is no F32 tensor '\(name)'")
        }
        return tensor
    }

    // The digest of the release covers the file.
    var definition: JSONValue {
        [
            "suite": .string(GoldenSuite.id.description),
            "stages": .array(suite.stages.map { .string($0.name) }),
            "file": .string(suite.file),
        ]
    }
    var columns: [String: Int] {
        Dictionary(uniqueKeysWithValues: suite.stages.map { ($0.name, 2) })
    }
    var samples: Int { split.count }
    var chunk: Int { 1 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        let pixels = try await BlockingWork.run { _ in try model.pixels(split, samples) }
        let outputs = try await model.outputs(
            of: pixels,
            ids: { try selection($0, samples) },
            actions: { try actions(samples) },
            on: pool
        )
        var columns: [String: Tensor] = [:]
        for stage in suite.stages {
            let wanted = try expected(stage.name).rows(samples).tensor
            guard let found = outputs[stage.kind] else {
                throw unsuitable("the model has no stage '\(stage.name)'")
            }
            guard found.shape.elementCount == wanted.shape.elementCount else {
                throw unsuitable(
                    "'\(stage.name)' has \(wanted.shape.elementCount) numbers for a sample, and the model "
                        + "computes \(found.shape.elementCount)"
                )
            }
            var (difference, largest): (Float, Float) = (0, 0)
            for (mine, theirs) in zip(found.values, wanted.values) {
                // A number that is not finite is an infinite difference.
                difference = mine.isFinite ? max(difference, abs(mine - theirs)) : .infinity
                largest = max(largest, abs(theirs))
            }
            guard difference.isFinite else {
                throw ZooError(
                    .evaluationNotFinite,
                    "the model computes numbers that are not finite in the stage '\(stage.name)'"
                )
            }
            columns[stage.name] = Tensor(shape: Shape([1, 2]), values: [difference, largest])
        }
        return columns
    }

    private func selection(_ name: String, _ samples: Range<Int>) throws(ZooError) -> TokenSelection
    {
        guard let tensor = reference[name], tensor.shape.rank > 0, tensor.shape[0] == split.count
        else {
            throw unsuitable("there is no I64 tensor '\(name)' [samples, tokens]")
        }
        return try TokenSelection(storedIn: tensor.rows(samples), named: name)
    }

    private func actions(_ samples: Range<Int>) throws(ZooError) -> Tensor {
        let tensor = try expected("actions")
        guard tensor.shape.rank == 3, tensor.shape[0] == split.count else {
            throw unsuitable(
                "'actions' is not [samples, steps, values], with \(split.count) samples"
            )
        }
        return tensor.rows(samples).tensor
    }
}
