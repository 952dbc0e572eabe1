// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// Writes features to a `.safetensors` or `.npy` file.
public struct FeatureWriter: Sendable {
    /// The endings of paths that can be written to.
    public static let endings = [".safetensors", ".npy"]

    /// The absolute path.
    public let path: String

    /// Checks that the file can be written, before anything is computed for it.
    ///
    /// - Parameters:
    ///   - path: the file; its ending selects the format.
    ///   - sources: files and folders that are read, which must not be written to.
    /// - Throws: as ``OutputFile/init(_:endings:apartFrom:)``.
    public init(_ path: String, apartFrom sources: [String]) throws(ZooError) {
        self.path = try OutputFile(path, endings: Self.endings, apartFrom: sources).path
    }

    /// Writes a tensor, and in safetensors the tensors that accompany it.
    ///
    /// - Parameters:
    ///   - tensor: the main tensor; a `.npy` file holds nothing else.
    ///   - name: its name in a safetensors file.
    ///   - companions: further tensors of a safetensors file, by name.
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
