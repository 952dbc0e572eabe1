// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooConvert
import ZooCore
import ZooModels
import ZooTensor

/// A converted checkpoint and the vectors of its case.
struct ConvertedCase {
    let folder: TemporaryFolder
    let vectors: Checkpoint
    /// The converted model.
    let release: String

    /// Converts the case in the folder `name`; a probe is said to read some levels of its backbone, a
    /// clip to have other frames than those of the case.
    init(_ name: String, levels: [Int]? = nil, frames: Int? = nil) async throws {
        let root = "\(ZooModelsTests.vectors)/conversion/\(name)"
        folder = try TemporaryFolder()
        vectors = try Checkpoint(opening: "\(root)/forward.safetensors")
        let names = try FileManager.default.contentsOfDirectory(atPath: root)
        let file = names.first { $0.hasPrefix("upstream") } ?? ""
        let source = try ConversionSource("\(root)/\(file)", backbone: nil)
        let given = try JSONObject(
            JSONValue(
                parsing: Array(try Data(contentsOf: URL(filePath: "\(root)/expected.json")))
            ),
            at: ""
        ).object("options")
        var options = ConversionOptions()
        options.heads = try given.optionalInteger("heads", in: 1...100)
        options.predictorHeads = try given.optionalInteger("predictor_heads", in: 1...100)
        options.cropSize = try given.optionalInteger("crop_size", in: 1...1000)
        options.frames = try frames ?? given.optionalInteger("frames_per_clip", in: 1...1000)
        options.backboneLevels = levels
        release = "\(folder.path)/release"
        _ = try await Converter(
            plan: try source.plan(options),
            sources: source.tensors,
            options: options,
            identity: ConversionIdentity(
                name: try ModelName(parsing: "test/sample"),
                version: try SemanticVersion(parsing: "1.0.0"),
                created: Timestamp(secondsSince1970: 0)
            ),
            dtype: nil
        ).write(to: release)
    }

    func tensor(_ name: String) throws -> Tensor { try #require(vectors[name]).tensor }

    /// Token ids, [samples, tokens].
    func ids(_ name: String) throws -> [[Int]] {
        let stored = try #require(vectors[name])
        let count = stored.shape[stored.shape.rank - 1]
        let flat: [Int] = stored.withBytes { span in
            (0..<stored.shape.elementCount).map { index in
                Int(unsafe span.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: Int64.self))
            }
        }
        return stride(from: 0, to: flat.count, by: count).map { Array(flat[$0..<$0 + count]) }
    }

    func selection(_ name: String) throws -> TokenSelection { try TokenSelection(ids(name)) }

    /// Numbers agree with a vector to 1e-5.
    func expect(_ found: Tensor, _ name: String) throws {
        let expected = try tensor(name)
        #expect(found.shape == expected.shape)
        let difference = zip(found.values, expected.values)
            .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(difference <= 1e-5, "\(name): \(difference)")
    }
}
