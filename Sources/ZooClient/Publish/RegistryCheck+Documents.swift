// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The index documents, and their differences from `index.json`.
extension RegistryCheck {
    struct IndexDocuments {
        var read: [ModelName: IndexDocument] = [:]
        /// The models whose document exists but cannot be read.
        var broken: Set<ModelName> = []
    }

    func read(_ path: String, into documents: inout IndexDocuments) throws(ZooError) {
        let text = path.dropFirst("index/".count)
        guard text.hasSuffix(".json"),
            let name = try? ModelName(parsing: String(text.dropLast(".json".count)))
        else {
            throw ZooError(
                .fileUnknown,
                "'\(path)' is not the index document of a model",
                remedy:
                    "remove it; an interrupted write may leave a file whose name starts with a dot"
            )
        }
        do throws(ZooError) {
            let document = try IndexDocument(
                canonical: try FileSystem.document(
                    "\(root)/\(path)",
                    limit: FormatLimits.indexDocument
                )
            )
            guard document.name == name else {
                throw ZooError(
                    .indexInvalid,
                    "'\(path)' is the index document of '\(document.name)'",
                    remedy: "remove it, then run 'ami-zoo registry index \(root)'"
                )
            }
            documents.read[name] = document
        } catch {
            documents.broken.insert(name)
            throw error
        }
    }

    /// The differences between `index.json` and the index documents.
    func compare(
        _ manifests: [ImageIndex.Entry],
        _ documents: IndexDocuments
    ) -> [Finding] {
        var findings: [Finding] = []
        for manifest in manifests where !documents.broken.contains(manifest.name) {
            let entry = documents.read[manifest.name]?.entry(for: .version(manifest.version))
            guard entry?.digest != manifest.digest else { continue }
            let release = "'\(manifest.name):\(manifest.version)'"
            findings.append(
                Finding(
                    entry == nil ? .versionUnindexed : .indexInvalid,
                    path: RegistryLayout.index(manifest.name),
                    message: entry.map {
                        "\(release) has digest \($0.digest) in the index document and "
                            + "\(manifest.digest) in '\(RegistryLayout.imageIndex)'"
                    } ?? "the index document does not list \(release), so it cannot be pulled",
                    remedy: entry == nil
                        ? "run 'ami-zoo registry index \(root)'"
                        : "versions are immutable: restore the older of the two documents"
                )
            )
        }
        let listed = Set(manifests.map { "\($0.name):\($0.version)" })
        for (name, document) in documents.read.sorted(by: { $0.key < $1.key }) {
            for entry in document.entries where !listed.contains("\(name):\(entry.version)") {
                findings.append(
                    Finding(
                        .manifestUnlisted,
                        path: RegistryLayout.index(name),
                        message: "the index document lists '\(name):\(entry.version)', but "
                            + "'\(RegistryLayout.imageIndex)' does not",
                        remedy: "restore '\(RegistryLayout.imageIndex)' from a backup, or remove "
                            + "the version from the index document if it was never published"
                    )
                )
            }
        }
        return findings
    }
}
