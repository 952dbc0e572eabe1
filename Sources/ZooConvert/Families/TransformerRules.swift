// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The sizes of a transformer, derived from its tensors.
struct TransformerDimensions {
    /// The embedding dimension.
    let width: Int
    /// The number of blocks.
    let layers: Int
    /// The hidden dimension of the MLP in a block.
    let hidden: Int

    /// Reads the sizes of the blocks whose names begin with `blocks`, such as `blocks.`.
    init(
        _ request: PlanRequest,
        _ group: UpstreamTensors.Group,
        blocks: String = "blocks.",
        mlp: String = "mlp.fc1.weight"
    ) throws(ZooError) {
        let shape = try request.shape("\(blocks)0.\(mlp)", rank: 2, of: group)
        (hidden, width) = (shape[0], shape[1])
        layers = group.count(of: blocks)
    }
}

extension RuleList {
    /// Adds a block of Meta's Vision Transformers with unchanged names.
    mutating func block(_ name: String, _ width: Int, _ hidden: Int) {
        norm("\(name).norm1", width)
        linear("\(name).attn.qkv", 3 * width, width)
        linear("\(name).attn.proj", width, width)
        norm("\(name).norm2", width)
        linear("\(name).mlp.fc1", hidden, width)
        linear("\(name).mlp.fc2", width, hidden)
    }

    /// Adds a block of Meta's Vision Transformers with the names of `VJEPA2Layer`.
    ///
    /// Source: huggingface/transformers `models/vjepa2/modeling_vjepa2.py`.
    mutating func vjepa2Block(_ name: String, as newName: String, _ width: Int, _ hidden: Int) {
        norm("\(name).norm1", width, as: "\(newName).norm1")
        splitLinear(
            "\(name).attn.qkv",
            3 * width,
            width,
            into: ["query", "key", "value"].map { "\(newName).attention.\($0)" }
        )
        linear("\(name).attn.proj", width, width, as: "\(newName).attention.proj")
        norm("\(name).norm2", width, as: "\(newName).norm2")
        linear("\(name).mlp.fc1", hidden, width, as: "\(newName).mlp.fc1")
        linear("\(name).mlp.fc2", width, hidden, as: "\(newName).mlp.fc2")
    }

    /// Adds a block of Meta's Vision Transformers with the names of `IJepaLayer` in files.
    ///
    /// Source: huggingface/transformers `models/ijepa/convert_ijepa_to_hf.py`.
    mutating func ijepaBlock(_ name: String, as newName: String, _ width: Int, _ hidden: Int) {
        norm("\(name).norm1", width, as: "\(newName).layernorm_before")
        splitLinear(
            "\(name).attn.qkv",
            3 * width,
            width,
            into: ["query", "key", "value"].map { "\(newName).attention.attention.\($0)" }
        )
        linear("\(name).attn.proj", width, width, as: "\(newName).attention.output.dense")
        norm("\(name).norm2", width, as: "\(newName).layernorm_after")
        linear("\(name).mlp.fc1", hidden, width, as: "\(newName).intermediate.dense")
        linear("\(name).mlp.fc2", width, hidden, as: "\(newName).output.dense")
    }

    /// Adds the layers that the predictors of V-JEPA and I-JEPA share, with unchanged names.
    mutating func predictorFrame(
        _ sizes: TransformerDimensions,
        encoderWidth: Int,
        outputs: Int? = nil
    ) {
        linear("predictor_embed", sizes.width, encoderWidth)
        for index in 0..<sizes.layers {
            block("predictor_blocks.\(index)", sizes.width, sizes.hidden)
        }
        norm("predictor_norm", sizes.width)
        linear("predictor_proj", outputs ?? encoderWidth, sizes.width)
    }
}

/// Descriptions of inputs for release records and processor configurations.
enum InputDescription {
    /// The ImageNet mean, which all of Meta's models were trained with.
    static let mean = [0.485, 0.456, 0.406]
    /// The ImageNet std.
    static let std = [0.229, 0.224, 0.225]

    /// Images or videos: `inputs` of a release record.
    static func pictures(
        video: Bool,
        frames: Int,
        side: Int,
        layout: String,
        steps: PictureSteps
    ) -> JSONValue {
        [
            "modality": .string(video ? "video" : "image"), "frames": .integer(frames),
            "height": .integer(side), "width": .integer(side), "channels": "rgb",
            "layout": .string(layout), "preprocessing": steps.json,
        ]
    }

    /// Features of another model: `inputs` of a release record.
    static func features(of model: String) -> JSONValue {
        ["modality": "features", "model": .string(model)]
    }

    /// The steps of ``videoProcessor(side:)``.
    static func shorterSide(croppedTo side: Int) -> PictureSteps {
        PictureSteps(
            resize: .shorterSide(side * 256 / 224),
            resampling: .torchvision(antialias: true, .bytes),
            crop: .center(height: side, width: side, .down),
            mean: mean,
            std: std
        )
    }

    /// The whole image resized to a square.
    static func square(
        _ side: Int,
        _ resampling: PictureSteps.Resampling
    ) -> PictureSteps {
        PictureSteps(
            resize: .exact(height: side, width: side),
            resampling: resampling,
            crop: .none,
            mean: mean,
            std: std
        )
    }

    /// The processor of V-JEPA 2: short side to `side` · 256 / 224, bilinear, then a centre crop.
    ///
    /// Source: huggingface/transformers `models/vjepa2/video_processing_vjepa2.py`.
    static func videoProcessor(side: Int) -> [String: JSONValue] {
        [
            "video_processor_type": "VJEPA2VideoProcessor", "do_resize": true,
            "size": ["shortest_edge": .integer(side * 256 / 224)], "resample": 2,
            "do_center_crop": true,
            "crop_size": ["height": .integer(side), "width": .integer(side)],
            "do_rescale": true, "rescale_factor": .number(1.0 / 255), "do_normalize": true,
            "image_mean": .array(mean.map { .number($0) }),
            "image_std": .array(std.map { .number($0) }),
        ]
    }
}

extension PictureSteps.Resampling {
    /// Bilinear, as torchvision and PyTorch compute it.
    static func torchvision(antialias: Bool, _ domain: Domain) -> Self {
        Self(
            filter: .bilinear,
            antialias: antialias,
            domain: domain,
            implementation: .torchvision
        )
    }
}
