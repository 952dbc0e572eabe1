// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A data set in a folder whose files were verified, as whoever hands it in has seen to.
package struct EvaluationData: Sendable {
    /// The folder.
    package let folder: String
    /// The record.
    package let record: DataSetRecord
    /// The digest of the manifest.
    package let digest: ContentDigest

    /// Describes a data set.
    package init(folder: String, record: DataSetRecord, digest: ContentDigest) {
        self.folder = folder
        self.record = record
        self.digest = digest
    }

    /// A split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the data set has no such split.
    func split(_ name: String) throws(ZooError) -> DataSetRecord.Split {
        if let split = record.splits.first(where: { $0.name == name }) { return split }
        let names = record.splits.map { "'\($0.name)'" }.joined(separator: ", ")
        throw .dataUnsuitable("\(record.name) has no split '\(name)', only \(names)")
    }

    /// Checks that this is the data set that a definition names.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-differs`.
    func require(_ wanted: SuiteDefinition.Data) throws(ZooError) {
        guard digest == wanted.digest, record.name == wanted.name, record.version == wanted.version
        else {
            throw ZooError(
                .evaluationDataDiffers,
                "the suite measures on \(wanted.name):\(wanted.version) with the digest \(wanted.digest), "
                    + "and '\(folder)' is \(record.name):\(record.version) with \(digest)",
                remedy: "run 'ami-zoo pull \(wanted.name):\(wanted.version)@\(wanted.digest)'"
            )
        }
    }
}
