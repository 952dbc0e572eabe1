// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore
package import ZooFiles
internal import ZooTensor

/// Writes the tensors of a converted release back into the layout they came in: the state
/// dictionaries of the lab's training code, in one file that `torch.load` reads.
///
/// What a conversion left out, such as the optimiser, is not there.
package struct Exporter: Sendable {
    /// What an export wrote.
    package struct Report: Sendable {
        /// The state dictionaries, and how many tensors each has.
        package let groups: [String: Int]
        /// Bytes of the tensors.
        package let bytes: Int
    }

    private let folder: String
    private let rows: [ConversionMap.Row]

    /// Prepares an export of a model folder.
    ///
    /// - Throws: ``ZooError`` with code `convert.not-converted` when the folder does not say what its
    ///   tensors were upstream, or a code of the documents.
    package init(folder: String) throws(ZooError) {
        self.folder = folder
        let path = "\(folder)/\(ConversionMap.fileName)"
        guard try FileSystem.status(path) != nil else {
            throw ZooError(
                .notConverted,
                "'\(folder)' has no '\(ConversionMap.fileName)', which says what its tensors were "
                    + "upstream",
                remedy: "only releases that 'ami-zoo convert' or 'import' made can be exported"
            )
        }
        let bytes = try FileSystem.document(path, limit: FormatLimits.record)
        // A backbone came from a file of its own, and is no part of this one.
        rows = try ConversionMap(parsing: bytes).rows.filter { !$0.isBackbone }
    }

    /// Writes the file.
    ///
    /// - Parameters:
    ///   - path: the file to write; it appears whole or not at all.
    ///   - cancellation: ends the writing.
    /// - Returns: what was written.
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch` when the weights are not those
    ///   in the conversion map, a `checkpoint.*` or an `io.*` code; `CancellationError`.
    package func write(to path: String, _ cancellation: Cancellation) throws -> Report {
        var groups: [(key: String, members: [(key: String, value: TorchWriter.Node)])] = []
        var bytes = 0
        for file in Set(rows.map(\.file)).sorted() {
            let weights = try Checkpoint(opening: try self.path(of: file))
            for row in rows where row.file == file {
                for (name, entry) in try Self.entries(row, weights, cancellation) {
                    bytes += entry.shape.byteCount(of: entry.dtype) ?? 0
                    let (key, rest) = Self.split(name)
                    if let index = groups.firstIndex(where: { $0.key == key }) {
                        groups[index].members.append((rest, .tensor(entry)))
                    } else {
                        groups.append((key, [(rest, .tensor(entry))]))
                    }
                }
            }
        }
        try TorchWriter.write(Self.root(groups), to: path)
        return Report(
            groups: Dictionary(uniqueKeysWithValues: groups.map { ($0.key, $0.members.count) }),
            bytes: bytes
        )
    }

    private func path(of file: String) throws(ZooError) -> String {
        let single = "\(folder)/\(file).safetensors"
        return try FileSystem.status(single) != nil ? single : "\(single).index.json"
    }

    /// The key of a state dictionary and the name in it; nothing for a name without a key.
    private static func split(_ name: String) -> (key: String, rest: String) {
        guard let dot = name.firstIndex(of: ".") else { return ("", name) }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    private static func root(
        _ groups: [(key: String, members: [(key: String, value: TorchWriter.Node)])]
    ) -> TorchWriter.Node {
        if UpstreamNesting.isFlat(groups.map(\.key)) {
            return .dictionary(
                groups.flatMap { key, members in
                    members.map { (key.isEmpty ? $0.key : "\(key).\($0.key)", $0.value) }
                }
            )
        }
        return .dictionary(
            groups.map { key, members in
                guard UpstreamNesting.isList(key) else { return (key, .dictionary(members)) }
                let member = members.map { name, value in (split(name).rest, value) }
                return (key, .list([.dictionary(member)]))
            }
        )
    }

    /// The upstream tensors of a row, each from the released elements that are its own.
    private static func entries(
        _ row: ConversionMap.Row,
        _ weights: Checkpoint,
        _ cancellation: Cancellation
    ) throws(ZooError) -> [(String, SafetensorsWriter.Entry)] {
        var views: [TensorView] = []
        for released in row.released {
            guard let view = weights.view(released.name),
                view.shape.sizes == released.shape,
                view.dtype == views.first?.dtype ?? view.dtype
            else {
                throw ZooError(
                    .conversionTensorsMismatch,
                    "'\(weights.path)' has no tensor '\(released.name)' \(released.shape)",
                    remedy: "the folder was changed since its conversion; convert again"
                )
            }
            views.append(view)
        }
        guard let dtype = views.first?.dtype else { return [] }
        var entries: [(String, SafetensorsWriter.Entry)] = []
        var start = 0
        for upstream in row.upstream {
            guard let shape = Shape(checking: upstream.shape) else { continue }
            let tensor = ReleasedTensor(
                name: upstream.name,
                shape: shape,
                source: dtype,
                target: dtype,
                pieces: ReleasedTensor.pieces(views, start..<start + shape.elementCount)
            )
            start += shape.elementCount
            let entry = SafetensorsWriter.Entry(name: upstream.name, dtype: dtype, shape: shape) {
                try tensor.forEachChunk(cancellation, $0)
            }
            entries.append((upstream.name, entry))
        }
        return entries
    }
}
