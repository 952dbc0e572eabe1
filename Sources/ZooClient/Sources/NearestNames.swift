// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension Registry {
    /// The remedy for a model that this registry does not have.
    func remedy(forMissing name: ModelName) async -> String {
        let list = "'ami-zoo list --registry \(source.address)' lists what it has"
        // The suggestion is optional: a failure to read the list must not hide the missing model.
        guard let catalogue = try? await catalogue() else { return list }
        let nearest = NearestNames(to: name, among: catalogue.map(\.name))
        return [nearest.question, list].compactMap(\.self).joined(separator: " ")
    }
}

extension Catalogue {
    /// The remedy for a model that this catalogue, listed in `list`, does not have.
    func remedy(forMissing name: ModelName, list: String) -> String {
        let list = "the models are listed in '\(list)'"
        // The suggestion is optional, so a failure to read the catalogue is ignored.
        guard let names = try? names() else { return list }
        let nearest = NearestNames(to: name, among: names)
        return [nearest.question, list].compactMap(\.self).joined(separator: " ")
    }
}
