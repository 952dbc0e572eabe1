// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooTransport

extension OCITarget {
    /// The blocks of the newest version, where the registry takes block-wise uploads.
    package func reusableBlocks(of name: ModelName) async throws -> Set<ContentDigest> {
        guard try await repositories.takesBlocks(),
            case .fetched(let document, _)? = try await document(of: name),
            let newest = try IndexDocument(canonical: document).entries
                .max(by: { $0.version < $1.version }),
            let bytes = try await repositories.manifest(
                newest.digest.description,
                of: name,
                limit: FormatLimits.manifest
            )
        else { return [] }
        var blocks: Set<ContentDigest> = []
        for archive in try ReleaseManifest(canonical: bytes).archives {
            let table = try BlockTable(
                canonical: try await repositories.blob(
                    BlobDigest(archive.blocks.digest),
                    of: name,
                    limit: FormatLimits.blockTable
                )
            )
            blocks.formUnion(table.blocks.map(\.archiveDigest))
        }
        return blocks
    }

    /// The index document of a model; nil when the registry does not have the model.
    private func document(of name: ModelName) async throws -> SourceDocument? {
        do {
            return try await repositories.indexDocument(of: name, entityTag: nil)
        } catch let error as ZooError where error.code == .resourceNotFound {
            return nil
        }
    }
}
