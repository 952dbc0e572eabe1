// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The samples of a suite, as they are on this machine.
package enum EvaluationData: Sendable {
    /// An installed data set.
    case dataSet(EvaluationDataSet)
    /// A simulated environment: nothing to install.
    case environment(SampleSource.EnvironmentID)
    /// Data that the user holds.
    case held(HeldData)
    /// Files of the measured release.
    case release

    /// The data set.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the samples are no data set.
    func dataSet() throws(ZooError) -> EvaluationDataSet {
        if case .dataSet(let set) = self { return set }
        throw .dataUnsuitable(
            "the suite measures on a data set",
            remedy: "set 'kind' of 'data' in the definition to 'dataset'"
        )
    }

    /// The held data.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the samples come from elsewhere.
    func held() throws(ZooError) -> HeldData {
        if case .held(let data) = self { return data }
        throw .dataUnsuitable(
            "the suite measures on held data",
            remedy: "set 'kind' of 'data' in the definition to 'held'"
        )
    }

    /// `data` of a report: what the definition says, and what was found to be measured on.
    func json(_ source: SampleSource) -> JSONValue {
        if case .held(let data) = self { data.json } else { source.json }
    }

    /// Checks that these are the samples that a definition names.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-differs`.
    func require(_ wanted: SampleSource) throws(ZooError) {
        switch (self, wanted) {
        case (.dataSet(let set), .dataSet(let wanted)): try set.require(wanted)
        case (.environment(let id), .environment(let wanted)) where id == wanted: break
        case (.held(let data), .held(let wanted)) where data.source == wanted: break
        case (.release, .release): break
        default:
            throw ZooError(
                .evaluationDataDiffers,
                "the suite measures on \(wanted), and other samples were given",
                remedy: "evaluate on the samples that the definition names"
            )
        }
    }
}

/// An installed data set.
package struct EvaluationDataSet: Sendable {
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
    func require(_ wanted: SampleSource.DataSet) throws(ZooError) {
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
