// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The catalogue folder: `<namespace>/<name>/model.yaml` with a model card beside each entry.
package struct Catalogue: Sendable {
    private let folder: String
    private static let card = "README.md"

    /// Opens the catalogue in a folder.
    package init(folder: String) { self.folder = folder }

    /// Reads the entry of a model.
    ///
    /// - Throws: ``ZooError`` with code `import.model-not-found`, or the code of an invalid entry.
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
                "'\(name)' is not an upstream model, so it cannot be imported",
                remedy: "fetch its release with 'ami-zoo pull \(name)'"
            )
        }
        let entry = try CatalogueEntry(object)
        guard entry.name == name else {
            throw ZooError(.descriptionInvalid, "'\(path)' has the name '\(entry.name)'")
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

    /// The names of all upstream models: those outside `ami`, the models of this project.
    package func names() throws(ZooError) -> [ModelName] {
        var names: [ModelName] = []
        let suffix = "/\(PackRequest.descriptionNames[0])"
        for path in try FileSystem.files(below: folder) where path.hasSuffix(suffix) {
            let name = try ModelName(parsing: String(path.dropLast(suffix.count)))
            // This project's own models are released, not imported.
            if name.namespace != "ami" { names.append(name) }
        }
        return names
    }
}
