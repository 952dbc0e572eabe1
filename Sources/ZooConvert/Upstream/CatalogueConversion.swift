// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension ConversionOptions {
    /// These options, completed with the values that the catalogue states for a model.
    package func completed(by entry: CatalogueEntry) -> ConversionOptions {
        var options = self
        guard entry.family != .vjepa2Classifier else { return options }
        options.heads = options.heads ?? entry.heads
        options.predictorHeads = options.predictorHeads ?? entry.predictorHeads
        options.cropSize = options.cropSize ?? entry.resolution
        options.frames = options.frames ?? entry.frames
        options.probe = options.probe ?? entry.probe
        options.backboneLevels = options.backboneLevels ?? entry.levels
        let choosesItself = entry.family.isProbe || entry.component == "."
        if !choosesItself, entry.components.contains(where: { $0.name == "encoder" }) {
            options.component = options.component ?? entry.component
        }
        return options
    }
}

extension ConversionPlan {
    /// Checks that a file matches the catalogue entry of a model.
    ///
    /// Compares the family, the components, and their numbers of tensors and elements.
    ///
    /// - Throws: ``ZooError`` with code `import.counts-mismatch`; the message lists all differences.
    package func requireMatch(_ entry: CatalogueEntry) throws(ZooError) {
        var problems: [String] = []
        if family != entry.family {
            problems.append("its family is \(family) instead of \(entry.family)")
        }
        for component in entry.components {
            guard let part = parts.first(where: { $0.component == component.name }) else {
                problems.append("it has no \(component.name)")
                continue
            }
            let tensors = part.rules.flatMap(\.upstream)
            let elements = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
            if let expected = component.tensors, expected != tensors.count {
                problems.append(
                    "its \(component.name) has \(tensors.count) tensors instead of \(expected)"
                )
            }
            if let expected = component.parameters, expected != elements {
                problems.append(
                    "its \(component.name) has \(elements) parameters instead of \(expected)"
                )
            }
        }
        guard !problems.isEmpty else { return }
        throw ZooError(
            .importCountsMismatch,
            "the file is not '\(entry.name)': \(problems.joined(separator: "; "))",
            remedy: "check that the file is complete and is the file that the catalogue names"
        )
    }
}

extension ConversionIdentity {
    /// Creates the identity of a model in the catalogue.
    ///
    /// - Parameters:
    ///   - entry: the entry of the catalogue.
    ///   - version: the version.
    ///   - created: the creation time of the release.
    ///   - card: the model card.
    ///   - upstream: members of the record's `lineage.upstream`.
    package init(
        _ entry: CatalogueEntry,
        version: SemanticVersion,
        created: Timestamp,
        card: String,
        upstream: [String: JSONValue]
    ) {
        self.init(name: entry.name, version: version, created: created)
        self.card = card
        self.upstream = upstream
        details = [
            "summary": .string(entry.summary), "authors": .array(entry.authors.map { .string($0) }),
            "licence": .string(entry.licence ?? "unknown"), "homepage": .string(entry.homepage),
            "evaluation": .array(entry.evaluation),
            "notes": .array(entry.notes.map { .string($0) }),
        ]
    }
}
