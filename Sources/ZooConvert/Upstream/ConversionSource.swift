// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore
internal import ZooFiles

/// The files that a conversion reads.
///
/// They are the checkpoint, the backbone of a probe, and the `config.json` of a file in the layout
/// of transformers.
package struct ConversionSource: Sendable {
    /// The tensors of each file.
    package let tensors: [ConversionPlan.Source: UpstreamTensors]
    /// `config.json`, if it is in the folder of the checkpoint.
    package let configuration: JSONObject?

    /// Opens the files.
    ///
    /// - Parameters:
    ///   - path: the checkpoint, or a folder that holds one.
    ///   - backbone: the checkpoint that a probe was trained on.
    /// - Throws: ``ZooError`` with a `checkpoint.*`, `json.*` or `io.*` code.
    package init(_ path: String, backbone: String?) throws(ZooError) {
        var tensors = [
            ConversionPlan.Source.main: try UpstreamTensors(try Checkpoint(opening: path))
        ]
        if let backbone {
            tensors[.backbone] = try UpstreamTensors(try Checkpoint(opening: backbone))
        }
        self.tensors = tensors
        let isFolder = try FileSystem.status(path + "/")?.kind == .folder
        let folder = isFolder ? path : FileSystem.parent(of: FileSystem.absolute(path))
        let format = tensors[.main]?.checkpoint.format
        let isSafetensors = format == .safetensors || format == .shardedSafetensors
        let file = "\(folder)/config.json"
        // Next to a pickle, config.json can be an unrelated file.
        guard isSafetensors, try FileSystem.status(file) != nil else {
            configuration = nil
            return
        }
        // The Hugging Face cache consists of symbolic links.
        let bytes = try FileSystem.document(file, limit: 1 << 20, followingLinks: true)
        configuration = try JSONObject(try JSONValue(parsing: bytes))
    }

    /// Plans the conversion of the files.
    ///
    /// - Throws: ``ZooError`` with a `convert.*` code.
    package func plan(_ options: ConversionOptions) throws(ZooError) -> ConversionPlan {
        try ConvertibleFamily.plan(tensors, configuration: configuration, options: options)
    }
}
