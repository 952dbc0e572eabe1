// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The folder of model entries: `<namespace>/<name>/model.yaml`, and a card beside each.
package struct Catalogue: Sendable {
    private let folder: String
    private static let card = "README.md"

    /// The catalogue in a folder.
    package init(folder: String) { self.folder = folder }

    /// The entry of a model.
    ///
    /// - Throws: ``ZooError`` with code `import.model-not-found`, or that of a broken entry.
    package func entry(_ name: ModelName) throws(ZooError) -> CatalogueEntry {
        let path = "\(folder)/\(name)/\(PackRequest.descriptionNames[0])"
        guard try FileSystem.status(path) != nil else {
            throw ZooError(
                .importModelMissing,
                "the catalogue has no model '\(name)'",
                remedy: remedy(forMissing: name, list: "\(folder)/README.md")
            )
        }
        let bytes = try FileSystem.document(path, limit: ModelDescription.limit)
        let object = try ModelDescription.parse(bytes, path: path)
        guard object.value("upstream") != nil else {
            throw ZooError(
                .importModelMissing,
                "'\(name)' was not taken from elsewhere, so there is nothing to import",
                remedy: "'ami-zoo pull \(name)' fetches its release"
            )
        }
        let entry = try CatalogueEntry(object)
        guard entry.name == name else {
            throw ZooError(.descriptionInvalid, "'\(path)' describes '\(entry.name)'")
        }
        return entry
    }

    /// The model card.
    package func card(_ name: ModelName) throws(ZooError) -> String {
        let path = "\(folder)/\(name)/\(Self.card)"
        return String(
            decoding: try FileSystem.document(path, limit: ModelDescription.limit),
            as: UTF8.self
        )
    }

    /// The names of all models that were taken from elsewhere.
    package func names() throws(ZooError) -> [ModelName] {
        var names: [ModelName] = []
        let suffix = "/\(PackRequest.descriptionNames[0])"
        for path in try FileSystem.files(below: folder) where path.hasSuffix(suffix) {
            let name = try ModelName(parsing: String(path.dropLast(suffix.count)))
            if name.description != "ami/ball-drop" { names.append(name) }
        }
        return names
    }
}
