// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// A data set on this machine, for programs that evaluate models on it.
package struct DataSetFolder: Sendable {
    /// The folder with the files that the record lists.
    package let folder: String
    /// The record.
    package let record: DataSetRecord
    /// The digest of the manifest.
    package let digest: ContentDigest

    /// Describes an installed release.
    ///
    /// - Throws: ``ZooError`` with code `release.not-a-dataset`.
    package init(_ release: InstalledRelease) throws(ZooError) {
        folder = release.folder
        record = try release.record.requireDataSet()
        digest = release.digest
    }
}

extension Puller {
    /// Opens a data set, and pulls it first when it is not installed.
    ///
    /// A reference with a version or a digest that is installed needs no registry. The record and the
    /// digest agree with each other; the files were verified when they were installed, and are not
    /// read again.
    ///
    /// - Parameter request: the data set; its `components` are ignored, because a data set has none.
    /// - Returns: the folder, the record and the digest of the manifest.
    /// - Throws: ``ZooError`` with code `release.not-a-dataset`, before anything is fetched, or as
    ///   ``pull(_:)``; `CancellationError`.
    package func dataSet(_ request: PullRequest) async throws -> DataSetFolder {
        var request = request
        request.components = nil
        let (store, reference) = (store, request.reference)
        var isExact = reference.digest != nil
        if case .version = reference.selector { isExact = true }
        if isExact, request.destination == nil,
            let installed = try? await BlockingWork.run({ _ in
                try store.installed(reference, holding: .whole)
            })
        {
            return try DataSetFolder(installed)
        }
        if !request.offline {
            _ = try await registry.resolve(reference).record.requireDataSet()
        }
        let path = try await pull(request).path
        return try await BlockingWork.run { _ in
            try DataSetFolder(try InstalledRelease(folder: path))
        }
    }
}
