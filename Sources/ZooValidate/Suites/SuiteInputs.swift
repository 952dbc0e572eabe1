// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooClient
package import ZooCore
package import ZooEval
internal import ZooFiles
package import ZooStore

/// Where the suites of a release and their samples come from.
package struct SuiteInputs: Sendable {
    private let registry: Registry
    private let store: ModelStore
    private let streams: Int?

    /// Describes where to look.
    ///
    /// - Parameters:
    ///   - registry: the registry that data sets are pulled from.
    ///   - store: the local store.
    ///   - streams: the number of connections; nil for the usual one.
    package init(registry: Registry, store: ModelStore, streams: Int?) {
        self.registry = registry
        self.store = store
        self.streams = streams
    }

    /// Reads definitions.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - wanted: names of definitions in the release, or paths of `.json` files; all of the release if
    ///     empty.
    ///   - subject: the release.
    /// - Returns: the definitions; none if none is wanted and the release has none.
    /// - Throws: ``ZooError`` with code `evaluation.suite-missing`, or of reading a definition.
    package static func definitions(
        _ wanted: [String],
        of subject: ValidationSubject
    ) throws(ZooError) -> [SuiteDefinition] {
        let folder = "\(subject.folder)/\(SuiteDefinition.folder)"
        let start = SuiteDefinition.folder + "/"
        // What the record lists, and nothing that lies beside it.
        let names = subject.record.files.map(\.path.text).filter {
            $0.hasPrefix(start) && $0.hasSuffix(".json") && !$0.dropFirst(start.count).contains("/")
        }.map { String($0.dropFirst(start.count).dropLast(5)) }.sorted()
        var definitions: [SuiteDefinition] = []
        for name in wanted.isEmpty ? names : wanted {
            guard name.hasSuffix(".json") || names.contains(name) else {
                throw missing(
                    "there is no suite definition '\(name)' in \(subject.reference)",
                    names
                )
            }
            let path = name.hasSuffix(".json") ? name : "\(folder)/\(name).json"
            guard try FileSystem.status(path) != nil else {
                throw missing("there is no suite definition '\(path)'", names)
            }
            definitions.append(
                try SuiteDefinition(
                    parsing: try FileSystem.document(path, limit: SuiteDefinition.limit)
                )
            )
        }
        return definitions
    }

    private static func missing(_ what: String, _ names: [String]) -> ZooError {
        ZooError(
            .suiteMissing,
            what,
            remedy: names.isEmpty
                ? "give the path of a definition"
                : "the suites of the model are \(names.map { "'\($0)'" }.joined(separator: ", "))"
        )
    }

    /// The samples that a definition names: a data set is pulled if it is not installed, and verified.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.not-as-released`, or the error of pulling the data set.
    package func data(_ source: SampleSource) async throws -> EvaluationData {
        switch source {
        case .dataSet(let set): .dataSet(try await dataSet(set))
        case .environment(let id): .environment(id)
        case .release: .release
        }
    }

    private func dataSet(_ wanted: SampleSource.DataSet) async throws -> EvaluationDataSet {
        var request = PullRequest(
            ModelReference(
                name: wanted.name,
                selector: .version(wanted.version),
                digest: wanted.digest
            )
        )
        request.streams = streams
        let found = try await Puller(registry: registry, store: store).dataSet(request)
        let subject = try await BlockingWork.run { [store] _ in
            try VerificationSubject(found.folder, in: store)
        }
        let verification = try await subject.verify(AnchorSearch(store: store), deep: false)
        guard verification.passed else {
            throw ZooError(
                .notAsReleased,
                "'\(found.folder)' is not as released"
                    + (verification.findings.first.map { ": \($0.message)" } ?? ""),
                remedy: "run 'ami-zoo repair \(found.folder)'"
            )
        }
        return EvaluationDataSet(
            folder: found.folder,
            record: found.record,
            digest: found.digest
        )
    }
}
