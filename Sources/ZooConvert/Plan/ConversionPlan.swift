// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The plan of a conversion: the tensor mapping, and the other files to write.
package struct ConversionPlan: Sendable {
    /// One network: a state dict upstream, a component of the release.
    package struct Part: Sendable {
        /// The component's name in the release record.
        package let component: String
        /// The group of upstream tensors.
        package let group: String
        /// The upstream file that holds the group.
        package var source = Source.main
        /// The weights file to write, without its extension.
        package var file = "model"
        /// The prefix of the component's tensor names in that file.
        package var prefix = ""
        /// The rules for the tensors.
        package var rules: [TensorRule]
        /// Clean names of tensors that are dropped if present, because no model reads them.
        package var dropped: Set<String> = []
    }

    /// The file that a part is read from.
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
    /// `preprocessor_config.json`, if known.
    package let preprocessor: [String: JSONValue]?
    /// The inputs of the model, in the form of the release record.
    package let inputs: JSONValue
}

/// The options of a conversion that the tensors do not determine.
package struct ConversionOptions: Sendable, Equatable {
    /// The family; nil to detect it.
    package var family: String?
    /// The state dict to take the encoder from.
    package var component: String?
    /// Attention heads of the encoder or probe.
    package var heads: Int?
    /// Attention heads of the predictor.
    package var predictorHeads: Int?
    /// The side length of the training images, in pixels.
    package var cropSize: Int?
    /// The number of frames in the training clips.
    package var frames: Int?
    /// The index of the probe, from 0, if the file holds several.
    package var probe: Int?
    /// The blocks of the backbone, counted from 0, whose outputs a probe reads; nil for the last.
    package var backboneLevels: [Int]?

    package init() {}

    /// The options in the form of the release record, without those that are nil.
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

    /// Parses the form of ``json``.
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
