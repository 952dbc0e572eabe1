// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// Attentive probes of V-JEPA 2.
    ///
    /// A probe is converted alone, or with its backbone as transformers'
    /// `VJEPA2ForVideoClassification`.
    static let vjepa2Probe = ConvertibleFamily(
        .vjepa2Probe,
        nesting: .list(key: "classifiers"),
        recognise: { tensors in
            tensors.groups["classifiers.0"]?.shape("pooler.query_tokens")
                .map { _ in "'classifiers' is a list of attentive probes" }
        },
        plan: { request throws(ZooError) in try VJEPA2ProbePlan(request).plan() }
    )
}

/// One probe: blocks over the tokens, a query that attends to them, and one or three linear heads.
struct VJEPA2ProbePlan {
    private static let anticipation = ["verb_classifier", "noun_classifier", "action_classifier"]
    /// Meta's probes have 16 heads at every width; transformers uses the encoder's number of heads.
    private static let heads = [768: 16, 1024: 16, 1280: 16, 1408: 16]

    private let request: PlanRequest
    private let group: UpstreamTensors.Group
    private let width: Int
    private let hidden: Int
    private let queries: Int
    private let layers: Int

    init(_ request: PlanRequest) throws(ZooError) {
        self.request = request
        group = try request.group("classifiers.\(request.options.probe ?? 0)")
        let tokens = try request.shape("pooler.query_tokens", rank: 3, of: group)
        (queries, width) = (tokens[1], tokens[2])
        hidden = try request.shape(
            "pooler.cross_attention_block.mlp.fc1.weight",
            rank: 2,
            of: group
        )[0]
        layers = group.count(of: "pooler.blocks.")
    }

    private var isAnticipation: Bool { group.shape("verb_classifier.weight") != nil }

    func plan() throws(ZooError) -> ConversionPlan {
        guard
            request.options.backboneLevels == nil
                || (request.sources[.backbone] == nil && !isAnticipation)
        else {
            throw ZooError(
                .conversionOptionInvalid,
                "--backbone-levels is only for a classifier that is converted alone: transformers' class "
                    + "and anticipation probes read only the last block",
                remedy: "leave out --backbone, or --backbone-levels"
            )
        }
        guard request.sources[.backbone] != nil, !isAnticipation else { return try alone() }
        let networks = try VJEPA2Plan(request, source: .backbone)
        var configuration = try networks.configuration(
            architecture: "VJEPA2ForVideoClassification"
        )
        configuration["num_pooler_layers"] = .integer(layers)
        let classes = try classCount("linear")
        configuration["id2label"] = .object(
            Dictionary(
                uniqueKeysWithValues: (0..<classes).map { (String($0), .string("LABEL_\($0)")) }
            )
        )
        configuration["label2id"] = .object(
            Dictionary(uniqueKeysWithValues: (0..<classes).map { ("LABEL_\($0)", .integer($0)) })
        )
        return ConversionPlan(
            family: .vjepa2Classifier,
            variant: networks.variant,
            parts: networks.parts(prefix: "vjepa2.") + (try parts()),
            configuration: configuration,
            preprocessor: InputDescription.videoProcessor(side: networks.side),
            inputs: networks.inputs
        )
    }

    private func alone() throws(ZooError) -> ConversionPlan {
        let heads = try request.heads(
            request.options.heads,
            width: width,
            known: Self.heads,
            option: "--heads"
        )
        var configuration: [String: JSONValue] = [
            "model_type": .string(FamilyID.vjepa2Probe.modelType), "hidden_size": .integer(width),
            "num_attention_heads": .integer(heads), "num_pooler_layers": .integer(layers),
            "mlp_ratio": TransformerSize.ratio(hidden: hidden, width: width),
            "layer_norm_eps": .number(1e-5), "num_queries": .integer(queries),
        ]
        if isAnticipation {
            for (field, name) in zip(["num_verbs", "num_nouns", "num_actions"], Self.anticipation) {
                configuration[field] = .integer(try classCount(name))
            }
        } else {
            configuration["num_labels"] = .integer(try classCount("linear"))
        }
        if let levels = request.options.backboneLevels {
            configuration["backbone_levels"] = .array(levels.map { .integer($0) })
        }
        return ConversionPlan(
            family: .vjepa2Probe,
            variant: "\(isAnticipation ? "anticipation" : "attentive")-\(width)x\(layers + 1)",
            parts: try parts(),
            configuration: configuration,
            preprocessor: nil,
            inputs: InputDescription.features(of: "the encoder that the probe was trained on")
        )
    }

    private func classCount(_ name: String) throws(ZooError) -> Int {
        try request.shape("\(name).weight", rank: 2, of: group)[0]
    }

    private func parts() throws(ZooError) -> [ConversionPlan.Part] {
        let pooler = VJEPA2Rules.pooler(
            width: width,
            hidden: hidden,
            queries: queries,
            layers: layers
        )
        var heads = RuleList()
        if isAnticipation {
            for name in Self.anticipation { heads.linear(name, try classCount(name), width) }
        } else {
            heads.linear("linear", try classCount("linear"), width, as: "classifier")
        }
        return [
            ConversionPlan.Part(
                component: "classifier",
                group: group.key,
                rules: pooler.rules + heads.rules
            )
        ]
    }
}
