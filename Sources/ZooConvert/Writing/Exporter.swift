// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore
package import ZooFiles
internal import ZooTensor

/// Writes a converted release as a checkpoint in its upstream layout.
///
/// The file has the state dicts of the lab's training code, and `torch.load` reads it. It does
/// not have what the conversion dropped, such as the optimizer state.
package struct Exporter: Sendable {
    /// The result of an export.
    package struct Report: Sendable {
        /// The number of tensors in each state dict.
        package let groups: [String: Int]
        /// The total size of the tensors, in bytes.
        package let bytes: Int
    }

    private let folder: String
    private let rows: [ConversionMap.Row]

    /// Prepares an export of a model folder.
    ///
    /// - Throws: ``ZooError`` with code `convert.not-converted` if the folder has no conversion
    ///   map, or an error of the documents.
    package init(folder: String) throws(ZooError) {
        self.folder = folder
        let path = "\(folder)/\(ConversionMap.fileName)"
        guard try FileSystem.status(path) != nil else {
            throw ZooError(
                .notConverted,
                "'\(folder)' has no '\(ConversionMap.fileName)', which maps its tensors to the "
                    + "upstream tensors",
                remedy: "export a folder that 'ami-zoo convert' or 'ami-zoo import' created"
            )
        }
        let bytes = try FileSystem.document(path, limit: FormatLimits.record)
        // The backbone has its own upstream file and is not part of this one.
        rows = try ConversionMap(parsing: bytes).rows.filter { !$0.isBackbone }
    }

    /// Writes the file.
    ///
    /// - Parameters:
    ///   - path: the file to write, atomically.
    ///   - cancellation: stops the export.
    /// - Returns: the result of the export.
    /// - Throws: ``ZooError`` with code `convert.tensors-mismatch` if the weights do not match the
    ///   conversion map, or with a `checkpoint.*` or an `io.*` code; `CancellationError`.
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

    /// Splits a name into the key of a state dict and the name in it; the key may be empty.
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

    /// The upstream tensors of a row, each with its range of the released elements.
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
                    remedy: "the folder was changed after its conversion; convert again"
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
