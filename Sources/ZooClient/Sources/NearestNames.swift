// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension Registry {
    /// What a person can do who asked for a model that this registry lacks.
    func remedy(forMissing name: ModelName) async -> String {
        let list = "'ami-zoo list --registry \(source.address)' lists its models"
        // The news is that the model is missing; a list that cannot be read adds nothing to it.
        guard let contents = try? await contents() else { return list }
        let nearest = NearestNames(to: name, among: contents.entries.map(\.name))
        return [nearest.question, list].compactMap(\.self).joined(separator: " ")
    }
}

extension Catalogue {
    /// What a person can do who asked for a model that this catalogue lacks; `list` is the document
    /// that lists the models.
    func remedy(forMissing name: ModelName, list: String) -> String {
        let list = "the models are listed in '\(list)'"
        // A catalogue that cannot be read adds nothing to what is said already.
        guard let names = try? names() else { return list }
        let nearest = NearestNames(to: name, among: names)
        return [nearest.question, list].compactMap(\.self).joined(separator: " ")
    }
}
