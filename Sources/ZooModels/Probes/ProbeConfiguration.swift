// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The `config.json` of a probe, or of a classifier that includes a probe.
struct ProbeConfiguration {
    let width: Int
    let heads: Int
    let hidden: Int
    let layers: Int
    let queries: Int
    let epsilon: Double
    /// The blocks of the backbone that the probe reads; empty for only the last block.
    let backboneLevels: [Int]
    /// The classes of each head, and the scope of its weights.
    let classes: [(classes: ProbeClasses, scope: String)]
    /// Whether it is a probe of V-JEPA 1.
    let isFirst: Bool

    /// Reads the configuration of a folder that `ami-zoo convert` wrote for a probe.
    ///
    /// - Throws: `ZooError` with a `model.*` code.
    init(probe fields: JSONObject) throws(ZooError) {
        do throws(ZooError) {
            let type = try fields.string("model_type")
            guard
                let family = FamilyID.allCases.first(where: { $0.isProbe && $0.modelType == type })
            else {
                throw ZooError(
                    .familyUnknown,
                    "the model has the type '\(type.prefix(80))', which is not an attentive probe",
                    remedy: "pass the folder of a probe, or no probe for a model with a classifier"
                )
            }
            isFirst = family == .vjepaProbe
            width = try fields.integer("hidden_size", in: 1...16_384)
            heads = try fields.integer("num_attention_heads", in: 1...1024)
            let ratio = try fields.number("mlp_ratio")
            guard ratio > 0, ratio <= 64, Int(Double(width) * ratio) >= 1,
                width.isMultiple(of: heads)
            else {
                throw fields.invalid("mlp_ratio", "or 'num_attention_heads' is out of range")
            }
            hidden = Int(Double(width) * ratio)
            epsilon = try fields.normEpsilon()
            queries = try fields.integer("num_queries", in: 1...64)
            layers =
                isFirst
                ? try fields.integer("depth", in: 1...64) - 1
                : try fields.integer("num_pooler_layers", in: 0...64)
            guard !isFirst || layers == 0 else {
                throw ZooError(
                    .modelUnsupported,
                    "probes of V-JEPA with more than one block are not supported",
                    remedy: "use a published probe, which has a single block"
                )
            }
            backboneLevels =
                fields.value("backbone_levels") == nil
                ? [] : try fields.integers("backbone_levels", in: 0...511, maximum: 512)
            guard Set(backboneLevels).count == backboneLevels.count else {
                throw fields.invalid("backbone_levels", "names a block twice")
            }
            classes = try Self.classes(of: fields)
            guard classes.count == 1 || queries == classes.count else {
                throw fields.invalid("num_queries", "must be the number of heads")
            }
            guard classes.count == 1 || backboneLevels.isEmpty else {
                throw fields.invalid("backbone_levels", "is not supported for anticipation probes")
            }
        } catch {
            throw error.asConfigurationError("the configuration of the probe is not valid")
        }
    }

    /// Reads the configuration of `VJEPA2ForVideoClassification`.
    ///
    /// Its pooler has the number of heads and the epsilon of the encoder.
    ///
    /// - Throws: `ZooError` with a `model.*` code.
    init(classifier fields: JSONObject, _ encoder: VJEPA2Configuration) throws(ZooError) {
        width = encoder.encoder.width
        heads = encoder.encoder.heads
        // `VJEPA2MLP` of the pooler has its default ratio, whatever `mlp_ratio` says of the encoder.
        hidden = 4 * encoder.encoder.width
        epsilon = encoder.normEpsilon
        queries = 1
        backboneLevels = []
        isFirst = false
        do throws(ZooError) {
            layers = try fields.optionalInteger("num_pooler_layers", in: 0...64) ?? 3
            let labels = try Self.labels(of: fields)
            // The default of transformers is two classes.
            let given = try fields.optionalInteger("num_labels", in: 1...1_000_000)
            let count = labels?.count ?? given ?? 2
            classes = [
                (ProbeClasses(name: "logits", count: count, labels: labels ?? []), "classifier")
            ]
        } catch {
            throw error.asConfigurationError("the configuration of the classifier is not valid")
        }
    }

    private static func classes(
        of fields: JSONObject
    ) throws(ZooError) -> [(classes: ProbeClasses, scope: String)] {
        guard fields.value("num_verbs") != nil else {
            let count = try fields.integer("num_labels", in: 1...1_000_000)
            let labels = try labels(of: fields) ?? []
            guard labels.isEmpty || labels.count == count else {
                throw fields.invalid("id2label", "must name \(count) classes")
            }
            return [(ProbeClasses(name: "logits", count: count, labels: labels), "classifier")]
        }
        var found: [(classes: ProbeClasses, scope: String)] = []
        for name in ["verb", "noun", "action"] {
            let count = try fields.integer("num_\(name)s", in: 1...1_000_000)
            found.append(
                (ProbeClasses(name: name, count: count, labels: []), "\(name)_classifier")
            )
        }
        return found
    }

    /// Reads `id2label`, a map from the indices 0, 1, 2 and so on, as strings, to class names.
    private static func labels(of fields: JSONObject) throws(ZooError) -> [String]? {
        guard let names = try fields.optionalObject("id2label") else { return nil }
        let members = names.members(besides: [])
        guard (1...1_000_000).contains(members.count) else {
            throw fields.invalid("id2label", "must name 1 to 1,000,000 classes")
        }
        var labels: [String] = []
        for index in 0..<members.count {
            guard case .string(let label)? = members[String(index)] else {
                throw fields.invalid("id2label", "has no string for class \(index)")
            }
            labels.append(label)
        }
        return labels
    }
}

extension ZooError {
    /// Wraps an invalid field as a configuration error, and returns other errors unchanged.
    fileprivate func asConfigurationError(_ message: String) -> ZooError {
        code == .fieldInvalid ? ZooError(.configurationInvalid, message, cause: self) : self
    }
}
