// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore

/// A kind of checkpoint that can be converted: how to detect it and how to convert it.
package struct ConvertibleFamily: Sendable {
    /// The name for `--family`: a family, or a layout that covers several families.
    package let name: String
    /// How upstream nests the tensors in its files.
    let nesting: UpstreamNesting
    /// Returns why a checkpoint matches this family; nil if it does not match.
    let recognise: @Sendable (UpstreamTensors) -> String?
    /// Plans the conversion.
    let plan: @Sendable (PlanRequest) throws(ZooError) -> ConversionPlan

    init(
        _ id: FamilyID,
        nesting: UpstreamNesting = .dictionaries,
        recognise: @escaping @Sendable (UpstreamTensors) -> String?,
        plan: @escaping @Sendable (PlanRequest) throws(ZooError) -> ConversionPlan
    ) {
        self.init(layout: id.rawValue, nesting: nesting, recognise: recognise, plan: plan)
    }

    init(
        layout: String,
        nesting: UpstreamNesting,
        recognise: @escaping @Sendable (UpstreamTensors) -> String?,
        plan: @escaping @Sendable (PlanRequest) throws(ZooError) -> ConversionPlan
    ) {
        name = layout
        self.nesting = nesting
        self.recognise = recognise
        self.plan = plan
    }

    /// All families, more specific ones first.
    ///
    /// To add one, add a file beside this one and a line here.
    package static let all: [ConvertibleFamily] = [
        .released, .vjepa21, .jepaWM, .dinoWM, .leWM, .vjepa2AC, .vjepa2Probe, .vjepaProbe,
        .vjepa2, .vjepa, .ijepa,
    ]

    /// Detects the family of a checkpoint, with the reason for the match.
    package static func detect(
        _ tensors: UpstreamTensors
    ) -> (family: ConvertibleFamily, reason: String)? {
        for family in all {
            if let reason = family.recognise(tensors) { return (family, reason) }
        }
        return nil
    }

    /// Plans the conversion of a checkpoint and checks that its tensors fit.
    ///
    /// - Parameters:
    ///   - sources: the tensors of the file, and of the backbone if one is given.
    ///   - configuration: `config.json` of a file in the Hugging Face layout.
    ///   - options: the options of the user.
    /// - Returns: a plan that fits the files.
    /// - Throws: ``ZooError`` with a `convert.*` code.
    package static func plan(
        _ sources: [ConversionPlan.Source: UpstreamTensors],
        configuration: JSONObject? = nil,
        options: ConversionOptions
    ) throws(ZooError) -> ConversionPlan {
        guard let main = sources[.main] else { preconditionFailure("nothing to convert") }
        let family: ConvertibleFamily
        if let name = options.family {
            guard let named = all.first(where: { $0.name == name }) else {
                throw ZooError(
                    .conversionOptionInvalid,
                    "unknown family '\(name)'",
                    remedy: "the families are \(all.map(\.name).joined(separator: ", "))"
                )
            }
            family = named
        } else {
            guard let detected = detect(main)?.family else {
                throw ZooError(
                    .conversionFamilyUnknown,
                    "the tensors of '\(main.checkpoint.path)' match no supported family; "
                        + "its top-level keys are "
                        + main.checkpoint.topLevelKeys.prefix(20).joined(separator: ", "),
                    remedy: "list the tensors with 'ami-zoo inspect', or pass --family"
                )
            }
            family = detected
        }
        let plan = try family.plan(
            PlanRequest(sources: sources, configuration: configuration, options: options)
        )
        try plan.requireFit(sources)
        return plan
    }
}

/// The input of a family's planner, with helpers that all families share.
struct PlanRequest: Sendable {
    let sources: [ConversionPlan.Source: UpstreamTensors]
    let configuration: JSONObject?
    let options: ConversionOptions

    var main: UpstreamTensors {
        guard let main = sources[.main] else { preconditionFailure("nothing to convert") }
        return main
    }

    /// Returns a required group of tensors.
    func group(
        _ key: String,
        of source: ConversionPlan.Source = .main
    ) throws(ZooError) -> UpstreamTensors.Group {
        guard let tensors = sources[source], let group = tensors.groups[key] else {
            let path = sources[source]?.checkpoint.path ?? "no file"
            let keys = sources[source]?.checkpoint.topLevelKeys.prefix(20) ?? []
            throw ZooError(
                .conversionComponentMissing,
                "'\(path)' has no '\(key)'",
                remedy: "it has \(keys.joined(separator: ", "))"
            )
        }
        return group
    }

    /// Returns the encoder to convert: the requested one, or the first of `order` that exists.
    func encoder(
        preferring order: [String],
        of source: ConversionPlan.Source = .main
    ) throws(ZooError) -> UpstreamTensors.Group {
        if source == .main, let component = options.component { return try group(component) }
        let found = order.first { sources[source]?.groups[$0] != nil }
        return try group(found ?? order[0], of: source)
    }

    /// Returns the shape of a tensor that must have a certain rank.
    func shape(
        _ name: String,
        rank: Int,
        of group: UpstreamTensors.Group
    ) throws(ZooError) -> [Int] {
        guard let shape = group.shape(name), shape.count == rank, shape.allSatisfy({ $0 > 0 })
        else {
            throw ZooError(
                .conversionTensorsMismatch,
                "'\(group.key)' has no tensor '\(name)' with \(rank) axes, which the family needs",
                remedy: "to convert another family or component, use --family or "
                    + "--component"
            )
        }
        return shape
    }

    /// The number of attention heads, from the options or from the published models of this width.
    func heads(
        _ said: Int?,
        width: Int,
        known: [Int: Int],
        option: String
    ) throws(ZooError) -> Int {
        guard let heads = said ?? known[width] else {
            throw ZooError(
                .conversionOptionNeeded,
                "the number of attention heads cannot be derived from weights of width \(width)",
                remedy: "pass it with \(option)"
            )
        }
        guard width.isMultiple(of: heads) else {
            throw ZooError(
                .conversionOptionInvalid,
                "\(heads) heads do not divide a width of \(width)"
            )
        }
        return heads
    }
}

/// The published sizes of Vision Transformers, by width.
enum TransformerSize {
    /// The name of a size, such as `l`.
    static func name(width: Int, layers: Int) -> String {
        switch (width, layers) {
        case (192, 12): "ti"
        case (384, 12): "s"
        case (768, 12): "b"
        case (1024, 24): "l"
        case (1280, 32): "h"
        case (1408, 40): "g"
        case (1664, 48): "gigantic"
        default: "\(width)x\(layers)"
        }
    }

    /// The MLP ratio such that `Int(ratio * width)` in double precision equals `hidden`.
    ///
    /// transformers computes the hidden size from its configuration in this way.
    static func ratio(hidden: Int, width: Int) -> JSONValue {
        var ratio = Double(hidden) / Double(width)
        while Int(Double(width) * ratio) < hidden { ratio = ratio.nextUp }
        return .number(ratio)
    }
}
