// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// Which blocks of V-JEPA 2.1 are levels: `hierarchical_layers` of `app/vjepa_2_1` of
/// facebookresearch/vjepa2, which are not all at quarters of the depth.
@Suite struct VJEPA21LevelTests {
    private static let width = 12

    /// A folder with an encoder of some depth and small random weights.
    private static func release(depth: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        var generator = SystemRandomNumberGenerator()
        var tensors: [String: StoredTensor] = [:]
        func add(_ name: String, _ shape: Shape, around centre: Float = 0) {
            let values = (0..<shape.elementCount).map { _ in
                centre + Float.random(in: -0.1...0.1, using: &generator)
            }
            tensors["encoder.\(name)"] = StoredTensor(Tensor(shape: shape, values: values))
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
            add("\(name).weight", [outputs, inputs])
            add("\(name).bias", [outputs])
        }
        func norm(_ name: String) {
            add("\(name).weight", [width], around: 1)
            add("\(name).bias", [width])
        }
        for kind in ["img", "video"] { add("\(kind)_mod_embed", [1, 1, width]) }
        for (name, tubelet) in [("patch_embed", 2), ("patch_embed_img", 1)] {
            add("\(name).proj.weight", [width, 3, tubelet, 4, 4])
            add("\(name).proj.bias", [width])
        }
        for block in (0..<depth).map({ "blocks.\($0)" }) {
            norm("\(block).norm1")
            linear("\(block).attn.qkv", width, 3 * width)
            linear("\(block).attn.proj", width, width)
            norm("\(block).norm2")
            linear("\(block).mlp.fc1", width, width)
            linear("\(block).mlp.fc2", width, width)
        }
        for level in 0..<4 { norm("norms_block.\(level)") }
        try SafetensorsWriter.write(tensors, to: "\(folder.path)/model.safetensors")
        let configuration: JSONValue = [
            "model_type": "vjepa2_1", "hidden_size": 12, "num_hidden_layers": .integer(depth),
            "num_attention_heads": 1, "mlp_ratio": 1, "crop_size": 16, "patch_size": 4,
            "frames_per_clip": 4, "tubelet_size": 2, "in_chans": 3, "layer_norm_eps": .number(1e-6),
            "pred_levels": 4,
        ]
        try folder.write(configuration.canonicalBytes, to: "config.json")
        return folder
    }

    @Test(arguments: [
        (12, [2, 5, 8, 11], 6), (24, [5, 11, 17, 23], 12), (40, [9, 19, 29, 39], 20),
        (48, [11, 23, 37, 47], 35),
    ])
    func theirOutputsAreThePredictorsContext(depth: Int, levels: [Int], other: Int) async throws {
        let folder = try Self.release(depth: depth)
        let model = try VJEPA21Model(folder: folder.path)
        let clip = Tensor(
            shape: [1, 2, 3, 8, 12],
            values: (0..<2 * 3 * 8 * 12).map { sin(Float($0)) }
        )
        let encoding = try await model.encode(clip, options: ForwardOptions(levels: levels))
        let context = encoding.context.values
        #expect(context.shape == [1, 6, 4 * Self.width])
        for token in 0..<6 {
            let parts = encoding.levels.flatMap {
                $0.values.values[token * Self.width..<(token + 1) * Self.width]
            }
            let first = token * 4 * Self.width
            #expect(Array(context.values[first..<first + 4 * Self.width]) == parts)
        }
        await #expect(throws: ZooError(.levelInvalid, "")) {
            try await model.encode(clip, options: ForwardOptions(levels: [other]))
        }
    }

    @Test func otherDepthsAreRefused() throws {
        let folder = try Self.release(depth: 13)
        #expect(throws: ZooError(.configurationInvalid, "")) {
            try VJEPA21Model(folder: folder.path)
        }
    }

    /// Upstream divides by rows − 1 and by columns − 1.
    @Test(arguments: [(4, 12), (12, 4)])
    func singleRowsAndColumnsAreRefused(height: Int, width: Int) async throws {
        let folder = try Self.release(depth: 12)
        let model = try VJEPA21Model(folder: folder.path)
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.encode(Tensor(zeros: [1, 2, 3, height, width]))
        }
    }
}
