// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

extension ConvertibleFamily {
    /// Files that already have the layout of a release.
    ///
    /// transformers writes them for I-JEPA, V-JEPA 2 and its classifiers. The tensors are not
    /// changed, and the other settings come from the `config.json` in the same folder.
    static let released = ConvertibleFamily(
        layout: "hugging-face",
        nesting: .flat(mark: "embeddings"),
        recognise: { tensors in
            let whole = tensors.groups[UpstreamTensors.whole]
            return ReleasedPlan.marks.first { whole?.shape($0.name) != nil }
                .map { "'\($0.name)' is a tensor name of transformers" }
        },
        plan: { request throws(ZooError) in try ReleasedPlan(request).plan() }
    )
}

/// Plans a file in the layout of transformers, in which every tensor keeps its name.
private struct ReleasedPlan {
    /// The kind of a file, detected by a tensor that only this kind has.
    enum Kind { case ijepa, vjepa2, classifier }

    static let marks: [(name: String, kind: Kind)] = [
        ("vjepa2.encoder.embeddings.patch_embeddings.proj.weight", .classifier),
        ("encoder.embeddings.patch_embeddings.proj.weight", .vjepa2),
        ("embeddings.patch_embeddings.projection.weight", .ijepa),
    ]

    private let request: PlanRequest
    private let whole: UpstreamTensors.Group
    private let configuration: JSONObject
    private let kind: Kind

    init(_ request: PlanRequest) throws(ZooError) {
        self.request = request
        whole = try request.group(UpstreamTensors.whole)
        let whole = whole
        guard let mark = Self.marks.first(where: { whole.shape($0.name) != nil }) else {
            throw ZooError(
                .conversionTensorsMismatch,
                "the file does not have the layout of transformers"
            )
        }
        kind = mark.kind
        guard let configuration = request.configuration else {
            throw ZooError(
                .conversionOptionNeeded,
                "the file has the layout of transformers, but its folder has no 'config.json'",
                remedy: "copy the config.json of the same repository into the folder of the file"
            )
        }
        self.configuration = configuration
    }

    private var family: FamilyID {
        switch kind {
        case .ijepa: .ijepa
        case .vjepa2: .vjepa2
        case .classifier: .vjepa2Classifier
        }
    }

    func plan() throws(ZooError) -> ConversionPlan {
        let cropSize = try configuration.optionalInteger("crop_size", in: 1...65_536)
        let imageSize = try configuration.optionalInteger("image_size", in: 1...65_536)
        let side = cropSize ?? imageSize ?? 256
        let frames = try configuration.optionalInteger("frames_per_clip", in: 1...65_536) ?? 64
        let type = try configuration.string("model_type")
        guard type == family.modelType else {
            throw ZooError(
                .conversionTensorsMismatch,
                "'config.json' describes a model of type '\(type)', which the tensors do not match"
            )
        }
        let isVideo = kind != .ijepa
        let (parts, size) = try parts()
        return ConversionPlan(
            family: family,
            variant: "vit-\(size)-\(side)",
            parts: parts,
            configuration: configuration.members,
            preprocessor: isVideo
                ? InputDescription.videoProcessor(side: side) : IJEPARules.processor(side: side),
            inputs: InputDescription.pictures(
                video: isVideo,
                frames: isVideo ? frames : 1,
                side: side,
                layout: isVideo ? "BTCHW" : "BCHW",
                steps: isVideo
                    ? InputDescription.shorterSide(croppedTo: side)
                    : InputDescription.square(side, .torchvision(antialias: true, .bytes))
            )
        )
    }

    /// The parts, and the name of the encoder's size in variants.
    private func parts() throws(ZooError) -> ([ConversionPlan.Part], String) {
        guard kind != .ijepa else {
            let patch = try shape("embeddings.patch_embeddings.projection.weight", 4)
            let sizes = try sizes("encoder.layer.", "intermediate.dense.weight")
            let positions = try shape("embeddings.position_embeddings", 3)[1]
            let rules = IJEPARules.encoder(patch: patch, sizes, positions: positions)
            return ([part("encoder", "", rules.identity)], Self.size(sizes, patch))
        }
        let base = kind == .classifier ? "vjepa2." : ""
        let patch = try shape("\(base)encoder.embeddings.patch_embeddings.proj.weight", 5)
        let sizes = try sizes("\(base)encoder.layer.", "mlp.fc1.weight")
        let encoder = VJEPA2Rules.encoder("\(base)encoder.", patch, sizes)
        var parts = [part("encoder", "\(base)encoder.", encoder.identity)]
        if whole.shape("\(base)predictor.layernorm.weight") != nil {
            let tokens = try shape("\(base)predictor.embeddings.mask_tokens", 4)[0]
            let rules = VJEPA2Rules.predictor(
                "\(base)predictor.",
                try self.sizes("\(base)predictor.layer.", "mlp.fc1.weight"),
                encoderWidth: sizes.width,
                maskTokens: tokens
            )
            parts.append(part("predictor", "\(base)predictor.", rules.identity))
        }
        if kind == .classifier { parts.append(try classifier(sizes.width)) }
        return (parts, Self.size(sizes, patch))
    }

    private func classifier(_ width: Int) throws(ZooError) -> ConversionPlan.Part {
        let name = "pooler.cross_attention_layer.mlp.fc1.weight"
        let pooler = VJEPA2Rules.pooler(
            width: width,
            hidden: try shape(name, 2)[0],
            queries: 1,
            layers: whole.count(of: "pooler.self_attention_layers.")
        )
        var head = RuleList()
        head.linear("classifier", try shape("classifier.weight", 2)[0], width)
        return part("classifier", "", pooler.identity + head.identity)
    }

    private func part(
        _ component: String,
        _ prefix: String,
        _ rules: [TensorRule]
    ) -> ConversionPlan.Part {
        ConversionPlan.Part(
            component: component,
            group: UpstreamTensors.whole,
            prefix: prefix,
            rules: rules
        )
    }

    private func shape(_ name: String, _ rank: Int) throws(ZooError) -> [Int] {
        try request.shape(name, rank: rank, of: whole)
    }

    private func sizes(
        _ blocks: String,
        _ mlp: String
    ) throws(ZooError) -> TransformerDimensions {
        try TransformerDimensions(request, whole, blocks: blocks, mlp: mlp)
    }

    private static func size(_ sizes: TransformerDimensions, _ patch: [Int]) -> String {
        let size = TransformerSize.name(width: sizes.width, layers: sizes.layers)
        return "\(size)-\(patch[patch.count - 1])"
    }
}
