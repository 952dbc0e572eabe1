// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The catalogue entry of a checkpoint published by a lab: `models/<namespace>/<name>/model.yaml`.
///
/// Parsing validates the entry. An unknown value is written `unknown` and listed under `unknown`;
/// nothing is guessed. The schema is `registry/schemas/model.schema.json`.
package struct CatalogueEntry: Sendable {
    /// A file published by the lab.
    package struct File: Sendable, Equatable {
        /// The URL of the file.
        package let url: String
        /// The size in bytes; nil when unknown.
        package let size: Int?
        /// The digest; nil when unknown.
        package let digest: ContentDigest?
        /// Whether it may be missing.
        package let isOptional: Bool

        /// The last path component of the URL.
        package var name: String { url.split(separator: "/").last.map { String($0) } ?? url }
    }

    /// The expected content of a component in the lab's file.
    package struct Component: Sendable, Equatable {
        /// The name of the component.
        package let name: String
        /// The number of tensors; nil when unknown.
        package let tensors: Int?
        /// The number of parameters; nil when unknown.
        package let parameters: Int?
    }

    /// Why a user must agree to the licence of the weights.
    package enum Consent: Sendable, Equatable {
        /// The licence is unknown, so no use is permitted.
        case unknownLicence
        /// The licence excludes commercial use.
        case nonCommercial
        /// The publisher uses its own terms.
        case ownTerms
    }

    /// The name of the model.
    package let name: ModelName
    /// A one-sentence description.
    package let summary: String
    /// The authors of the model.
    package let authors: [String]
    /// The SPDX expression of the licence of the weights; nil when unknown.
    package let licence: String?
    /// Why a user must agree before the weights are fetched; nil when no consent is needed.
    package let consent: Consent?
    /// The URL of the project page.
    package let homepage: String
    /// The family.
    package let family: FamilyID
    /// The variant.
    package let variant: String
    /// The number of attention heads of the encoder, or of the pooler of a probe.
    package let heads: Int?
    /// The number of attention heads of the predictor.
    package let predictorHeads: Int?
    /// The side length of training images in pixels.
    package let resolution: Int?
    /// The number of frames of training clips.
    package let frames: Int?
    /// The backbone blocks, counted from 0, whose outputs a probe reads; nil for the last block.
    package let levels: [Int]?
    /// The model whose tokens a probe reads.
    package let backbone: ModelName?
    /// The lab's files; the first one holds the weights.
    package let files: [File]
    /// The name of the state dict to import.
    package let component: String
    /// The index of the probe in a checkpoint that holds several.
    package let probe: Int?
    /// The expected content of each component.
    package let components: [Component]
    /// The inputs in the form of release records; a value may be `unknown`.
    package let inputs: JSONObject
    /// Published scores in the form of release records.
    package let evaluation: [JSONValue]
    /// The fields that are unknown.
    package let unknown: [String]
    /// Notes for users.
    package let notes: [String]

    /// Parses and validates an entry.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    package init(_ object: JSONObject) throws(ZooError) {
        name = try object.modelName("name")
        summary = try object.string("summary", maximum: 200)
        authors = try object.strings("authors", maximum: 20)
        licence = try object.known("licence")
        consent = try Self.consent(to: licence, object)
        homepage = try object.address("homepage")
        let architecture = try object.object("architecture")
        let text = try architecture.string("family", maximum: 64)
        guard let family = FamilyID(rawValue: text) else {
            let known = FamilyID.allCases.map(\.rawValue).joined(separator: ", ")
            throw architecture.invalid("family", "is '\(text)', and must be one of \(known)")
        }
        self.family = family
        variant = try architecture.string("variant", maximum: 128)
        let poolerHeads = try architecture.knownInteger("poolerHeads", in: 1...1024)
        let encoderHeads = try architecture.knownInteger("heads", in: 1...1024)
        heads = family.isProbe ? poolerHeads : encoderHeads
        predictorHeads = try architecture.knownInteger("predictorHeads", in: 1...1024)
        resolution = try architecture.knownInteger("resolution", in: 1...65_536)
        frames = try architecture.knownInteger("frames", in: 1...65_536)
        levels =
            architecture.value("layers") == nil
            ? nil : try architecture.integers("layers", in: 0...511, maximum: 512)
        backbone =
            architecture.value("backbone") == nil ? nil : try architecture.modelName("backbone")
        let upstream = try object.object("upstream")
        files = try Self.files(upstream)
        component = try upstream.string("component", maximum: 64)
        probe = try upstream.optionalInteger("index", in: 0...10_000)
        var components: [Component] = []
        for part in try object.objects("components", maximum: 64) {
            components.append(
                Component(
                    name: try part.string("name", maximum: 64),
                    tensors: try part.knownInteger("tensors", in: 1...10_000_000),
                    parameters: try part.knownInteger(
                        "parameters",
                        in: 1...JSONValue.largestInteger
                    )
                )
            )
        }
        guard !components.isEmpty, Set(components.map(\.name)).count == components.count else {
            throw object.invalid("components", "is empty or lists a component twice")
        }
        self.components = components
        inputs = try object.object("inputs")
        var evaluation: [JSONValue] = []
        for claim in try object.objects("evaluation", maximum: 100) {
            guard try ReleaseRecord.EvaluationClaim(claim, .current).status == .upstream else {
                throw claim.invalid("status", "must be 'upstream' in a catalogue entry")
            }
            evaluation.append(.object(claim.members))
        }
        self.evaluation = evaluation
        unknown = try object.strings("unknown", maximum: 100, each: 300)
        notes =
            object.value("notes") == nil ? [] : try object.strings("notes", maximum: 50, each: 1000)
        try requireAdmission(object, upstream)
        try Self.requireInputs(inputs, unknown: Set(unknown))
    }

    /// Derives the required consent from `commercialUse`, or from the licence when it is absent.
    private static func consent(
        to licence: String?,
        _ object: JSONObject
    ) throws(ZooError) -> Consent? {
        guard let licence else { return .unknownLicence }
        let restriction: LicenceExpression.Restriction
        do {
            restriction = try LicenceExpression(parsing: licence).restriction
        } catch {
            throw object.invalid("licence", "is '\(licence)', which is not an SPDX expression")
        }
        switch object.value("commercialUse") {
        case .bool(false): return .nonCommercial
        case .bool(true) where restriction == .nonCommercial:
            throw object.invalid("commercialUse", "contradicts the licence \(licence)")
        case nil, .bool(true): break
        default: throw object.invalid("commercialUse", "must be true or false")
        }
        switch restriction {
        case .none: return nil
        case .ownTerms: return .ownTerms
        case .nonCommercial: return .nonCommercial
        }
    }

    private static func files(_ upstream: JSONObject) throws(ZooError) -> [File] {
        guard upstream.value("files") != nil else { return [try file(upstream)] }
        var files: [File] = []
        for object in try upstream.objects("files", maximum: 64) { files.append(try file(object)) }
        guard !files.isEmpty, Set(files.map(\.name)).count == files.count else {
            throw upstream.invalid("files", "is empty or has two files with the same name")
        }
        return files
    }

    private static func file(_ object: JSONObject) throws(ZooError) -> File {
        var isOptional = false
        if case .bool(let flag)? = object.value("optional") { isOptional = flag }
        let digits = try object.known("sha256")
        let url = try object.address("url")
        guard !url.hasSuffix("/"), !url.hasSuffix("/.."), !url.hasSuffix("/.") else {
            throw object.invalid("url", "is '\(url)', which does not end with a file name")
        }
        return File(
            url: url,
            size: try object.knownInteger("size", in: 1...JSONValue.largestInteger),
            digest: try digits.map { text throws(ZooError) in
                try ContentDigest(parsing: "sha256:\(text)")
            },
            isOptional: isOptional
        )
    }

    /// Requires that every unknown field is listed under `unknown`.
    private func requireAdmission(
        _ object: JSONObject,
        _ upstream: JSONObject
    ) throws(ZooError) {
        let admitted = Set(unknown)
        for (holder, field) in [
            (object, "licence"), (upstream, "container"), (upstream, "size"), (upstream, "sha256"),
        ] where holder.value(field) == .string("unknown") && !admitted.contains(field) {
            throw holder.invalid(field, "is 'unknown' but is not listed under 'unknown'")
        }
        for component in components where component.tensors == nil {
            guard unknown.contains(where: { $0.contains(component.name) }) else {
                throw object.invalid(
                    "components",
                    "has no tensor count for '\(component.name)' and 'unknown' does not list it"
                )
            }
        }
    }
}

extension JSONObject {
    /// A string, or nil when it is `unknown`.
    fileprivate func known(_ name: String) throws(ZooError) -> String? {
        let text = try string(name, maximum: 2048)
        return text == "unknown" ? nil : text
    }

    /// An integer, or nil when it is absent or `unknown`.
    fileprivate func knownInteger(
        _ name: String,
        in range: ClosedRange<Int>
    ) throws(ZooError) -> Int? {
        value(name) == .string("unknown") ? nil : try optionalInteger(name, in: range)
    }

    /// An `https` URL.
    fileprivate func address(_ name: String) throws(ZooError) -> String {
        let text = try string(name, maximum: 2048)
        guard text.hasPrefix("https://"), !text.contains(where: \.isWhitespace) else {
            throw invalid(name, "is '\(text)', and must be an https URL")
        }
        return text
    }
}
