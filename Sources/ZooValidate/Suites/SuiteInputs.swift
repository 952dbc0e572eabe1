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
    private let held: HeldPaths
    private let opened = OpenedData()

    /// Where data are that a user holds.
    package struct HeldPaths: Sendable {
        /// The path of a folder or an archive, by the name that suites give the data.
        package let paths: [String: String]
        /// The folder for copies of members of archives.
        package let spool: String

        /// Names paths.
        package init(_ paths: [String: String], spool: String) {
            self.paths = paths
            self.spool = spool
        }
    }

    /// Describes where to look.
    ///
    /// - Parameters:
    ///   - registry: the registry that data sets are pulled from.
    ///   - store: the local store.
    ///   - streams: the number of connections; nil for the usual one.
    ///   - held: where data are that the user holds.
    package init(
        registry: Registry,
        store: ModelStore,
        streams: Int?,
        held: HeldPaths
    ) {
        self.registry = registry
        self.store = store
        self.streams = streams
        self.held = held
    }

    /// Reads definitions.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - wanted: names of definitions in the release or among the shipped ones, or paths of `.json` files; all of the
    ///     release if empty.
    ///   - subject: the release.
    ///   - shipped: the folder of the definitions that ship with the program; nil if there is none.
    /// - Returns: the definitions; none if none is wanted and the release has none.
    /// - Throws: ``ZooError`` with code `evaluation.suite-missing`, or of reading a definition.
    package static func definitions(
        _ wanted: [String],
        of subject: ValidationSubject,
        shipped: String? = nil
    ) throws(ZooError) -> [SuiteDefinition] {
        let folder = "\(subject.folder)/\(SuiteDefinition.folder)"
        let start = SuiteDefinition.folder + "/"
        // What the record lists, and nothing that lies beside it.
        let names = subject.record.files.map(\.path.text).filter {
            $0.hasPrefix(start) && $0.hasSuffix(".json") && !$0.dropFirst(start.count).contains("/")
        }.map { String($0.dropFirst(start.count).dropLast(5)) }.sorted()
        let others = try shipped.map { (folder) throws(ZooError) in
            try FileSystem.names(in: folder).filter { $0.hasSuffix(".json") }
                .map { String($0.dropLast(5)) }
        }
        var definitions: [SuiteDefinition] = []
        for name in wanted.isEmpty ? names : wanted {
            let path: String
            if name.hasSuffix(".json") {
                path = name
            } else if names.contains(name) {
                path = "\(folder)/\(name).json"
            } else if let shipped, others?.contains(name) == true {
                path = "\(shipped)/\(name).json"
            } else {
                throw missing(
                    "there is no suite definition '\(name)' in \(subject.reference)",
                    names + (others ?? [])
                )
            }
            guard try FileSystem.status(path) != nil else {
                throw missing("there is no suite definition '\(path)'", names + (others ?? []))
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
                : "the suites are \(names.map { "'\($0)'" }.joined(separator: ", "))"
        )
    }

    /// The samples that a definition names: a data set is pulled if it is not installed, and verified; held data are
    /// listed and hashed.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.not-as-released` or `evaluation.data-missing`, or the error of pulling
    ///   the data set or of ``HeldData``.
    package func data(_ source: SampleSource) async throws -> EvaluationData {
        switch source {
        case .dataSet(let set): .dataSet(try await dataSet(set))
        case .environment(let id): .environment(id)
        case .held(let source): .held(try await heldData(source))
        case .release: .release
        }
    }

    private func heldData(_ source: HeldSource) async throws -> HeldData {
        guard let path = held.paths.value(ofExactly: source.name) else {
            throw ZooError(
                .heldDataMissing,
                "the suite measures on '\(source.name)', data that no registry may distribute and that you must "
                    + "have yourself",
                remedy: "give their folder or archive with --data \(source.name)=PATH"
            )
        }
        return try await opened.data(source) { [held] cancellation -> any HeldFiles in
            try HeldArchive(path, spool: held.spool, cancellation) ?? HeldFolder(path)
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
