// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// Writes features to a `.safetensors` or `.npy` file.
public struct FeatureWriter: Sendable {
    /// The supported file extensions.
    public static let endings = [".safetensors", ".npy"]

    /// The absolute path.
    public let path: String

    /// Checks that the file can be written, before the computation.
    ///
    /// - Parameters:
    ///   - path: the file; its extension selects the format.
    ///   - sources: input files and folders, which must not be written to.
    /// - Throws: as ``OutputFile/init(_:endings:apartFrom:)``.
    public init(_ path: String, apartFrom sources: [String]) throws(ZooError) {
        self.path = try OutputFile(path, endings: Self.endings, apartFrom: sources).path
    }

    /// Writes a tensor, and to a safetensors file also companion tensors.
    ///
    /// - Parameters:
    ///   - tensor: the main tensor, the only one in a `.npy` file.
    ///   - name: its name in a safetensors file.
    ///   - companions: additional tensors of a safetensors file, by name.
    /// - Throws: `ZooError` with an `io.*` code.
    public func write(
        _ tensor: Tensor,
        named name: String,
        with companions: [String: StoredTensor] = [:]
    ) throws(ZooError) {
        if path.hasSuffix(".npy") {
            try NumPyWriter.write(tensor, to: path)
        } else {
            var tensors = companions
            tensors[name] = StoredTensor(tensor)
            try SafetensorsWriter.write(tensors, to: path)
        }
    }
}
