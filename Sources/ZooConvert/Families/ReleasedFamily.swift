// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

extension ConvertibleFamily {
    /// Files that have the layout of a release already: what transformers wrote for I-JEPA, V-JEPA 2
    /// and its classifiers.
    ///
    /// The tensors stay as they are; `config.json` beside them says the rest.
    static let released = ConvertibleFamily(
        id: "hugging-face",
        recognise: { tensors in
            let names = [
                "encoder.embeddings.patch_embeddings.proj.weight",
                "vjepa2.encoder.embeddings.patch_embeddings.proj.weight",
                "embeddings.patch_embeddings.projection.weight",
            ]
            let whole = tensors.groups[UpstreamTensors.whole]
            return names.first { whole?.shape($0) != nil }
                .map { "'\($0)' is a name of transformers" }
        },
        plan: { request throws(ZooError) in
            guard let configuration = request.configuration else {
                throw ZooError(
                    .conversionOptionNeeded,
                    "the file has the layout of transformers, and there is no 'config.json' beside "
                        + "it",
                    remedy: "put the config.json of the same repository into the same folder"
                )
            }
            let whole = try request.group(UpstreamTensors.whole)
            let type = try configuration.string("model_type")
            let isClassifier = whole.tensors.keys.contains { $0.hasPrefix("classifier.") }
            let prefixes =
                switch (type, isClassifier) {
                case ("ijepa", _): [("encoder", "")]
                case (_, true):
                    [
                        ("encoder", "vjepa2.encoder."), ("predictor", "vjepa2.predictor."),
                        ("classifier", ""),
                    ]
                default: [("encoder", "encoder."), ("predictor", "predictor.")]
                }
            var rest = whole.tensors
            var parts: [ConversionPlan.Part] = []
            for (component, prefix) in prefixes {
                let names = rest.keys.filter { $0.hasPrefix(prefix) }.sorted()
                guard !names.isEmpty else { continue }
                let rules = names.map { name in
                    let shape = NamedShape(name, rest[name]?.shape.extents ?? [])
                    return TensorRule(upstream: [shape], released: [shape])
                }
                for name in names { rest[name] = nil }
                parts.append(
                    ConversionPlan.Part(
                        component: component,
                        group: UpstreamTensors.whole,
                        prefix: prefix,
                        rules: rules
                    )
                )
            }
            let cropSize = try configuration.optionalInteger("crop_size", in: 1...65_536)
            let imageSize = try configuration.optionalInteger("image_size", in: 1...65_536)
            let side = cropSize ?? imageSize ?? 256
            let frames = try configuration.optionalInteger("frames_per_clip", in: 1...65_536)
            let isVideo = type != "ijepa"
            return ConversionPlan(
                family: isClassifier ? "vjepa2-classifier" : type,
                variant: "\(type)-\(side)",
                parts: parts,
                configuration: configuration.members,
                preprocessor: isVideo
                    ? InputDescription.videoProcessor(side: side)
                    : IJEPARules.processor(side: side),
                inputs: InputDescription.json(
                    video: isVideo,
                    frames: isVideo ? frames ?? 64 : 1,
                    side: side,
                    layout: isVideo ? "BTCHW" : "BCHW",
                    resampling: "as 'preprocessor_config.json' says"
                )
            )
        }
    )
}
