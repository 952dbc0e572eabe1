// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a conversion does: which tensors become which, and what is written beside them.
package struct ConversionPlan: Sendable {
    /// One network: a state dictionary upstream, a component of the release.
    package struct Part: Sendable {
        /// The component's name in the release record.
        package let component: String
        /// The group of upstream tensors.
        package let group: String
        /// Which of the upstream files holds it.
        package var source = Source.main
        /// The file it goes to, without its extension.
        package var file = "model"
        /// What the component's tensor names begin with in that file.
        package var prefix = ""
        /// The tensors.
        package var rules: [TensorRule]
        /// Clean names that may be there and are left out, since no model reads them.
        package var dropped: Set<String> = []
    }

    /// The file a part is read from.
    package enum Source: Sendable, Hashable {
        /// The file that is converted.
        case main
        /// The backbone of a probe.
        case backbone
    }

    /// The family.
    package let family: FamilyID
    /// The variant in the family.
    package let variant: String
    /// The networks.
    package var parts: [Part]
    /// `config.json`.
    package let configuration: [String: JSONValue]
    /// `preprocessor_config.json`, where one is known.
    package let preprocessor: [String: JSONValue]?
    /// What the model takes, as release records say it.
    package let inputs: JSONValue
}

/// What a person decides about a conversion; everything else the tensors say.
package struct ConversionOptions: Sendable, Equatable {
    /// The family, when it is not to be detected.
    package var family: String?
    /// The state dictionary to take the encoder from.
    package var component: String?
    /// Attention heads of the encoder or probe.
    package var heads: Int?
    /// Attention heads of the predictor.
    package var predictorHeads: Int?
    /// Pixels along the side of the images that the model was trained on.
    package var cropSize: Int?
    /// Frames of the clips it was trained on.
    package var frames: Int?
    /// Which of several probes.
    package var probe: Int?
    /// The blocks of the backbone, counted from 0, whose outputs a probe reads; nil for the last.
    package var backboneLevels: [Int]?

    package init() {}

    /// The options as the release record states them; those that were not given are left out.
    package var json: [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        if let family { members["family"] = .string(family) }
        if let component { members["component"] = .string(component) }
        if let heads { members["heads"] = .integer(heads) }
        if let predictorHeads { members["predictorHeads"] = .integer(predictorHeads) }
        if let cropSize { members["cropSize"] = .integer(cropSize) }
        if let frames { members["frames"] = .integer(frames) }
        if let probe { members["probe"] = .integer(probe) }
        if let backboneLevels {
            members["backboneLevels"] = .array(backboneLevels.map { .integer($0) })
        }
        return members
    }

    /// Reads what ``json`` wrote.
    package init(_ object: JSONObject) throws(ZooError) {
        family = try object.optionalString("family")
        component = try object.optionalString("component")
        heads = try object.optionalInteger("heads", in: 1...1024)
        predictorHeads = try object.optionalInteger("predictorHeads", in: 1...1024)
        cropSize = try object.optionalInteger("cropSize", in: 1...65_536)
        frames = try object.optionalInteger("frames", in: 1...65_536)
        probe = try object.optionalInteger("probe", in: 0...1_000_000)
        backboneLevels =
            object.value("backboneLevels") == nil
            ? nil : try object.integers("backboneLevels", in: 0...511, maximum: 512)
    }
}
