// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooConvert

/// A folder of `Tests/Vectors/conversion`: a lab's file, and what it must become.
struct ConversionCase {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/conversion").path()

    /// The lab's file.
    let file: String
    let expected: JSONObject
    let source: ConversionSource
    let options: ConversionOptions

    init(_ name: String, backbone: String? = nil) throws {
        let folder = "\(Self.root)/\(name)"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        file = "\(folder)/\(names.first { $0.hasPrefix("upstream") } ?? "")"
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/expected.json"))
        expected = try JSONObject(JSONValue(parsing: Array(bytes)), at: "")
        source = try ConversionSource(file, backbone: backbone.map { "\(Self.root)/\($0)" })
        var options = ConversionOptions()
        let given = try expected.object("options")
        options.component = try given.optionalString("component")
        options.heads = try given.optionalInteger("heads", in: 1...100)
        options.predictorHeads = try given.optionalInteger("predictor_heads", in: 1...100)
        options.cropSize = try given.optionalInteger("crop_size", in: 1...1000)
        options.frames = try given.optionalInteger("frames_per_clip", in: 1...1000)
        self.options = options
    }

    /// Converts the lab's file.
    func convert(
        to folder: String,
        _ options: ConversionOptions? = nil,
        dtype: DType? = nil,
        shardSize: Int = Converter.shardSize
    ) async throws -> ConversionReport {
        try await source.convert(
            to: folder,
            options ?? self.options,
            dtype: dtype,
            shardSize: shardSize
        )
    }

    /// `config.json` of the release in `folder`.
    func configuration(of folder: TemporaryFolder) throws -> JSONObject {
        try JSONObject(JSONValue(parsing: try folder.read("release/config.json")), at: "")
    }
}

extension ConversionSource {
    /// Converts the files under the name of a sample.
    @discardableResult func convert(
        to folder: String,
        _ options: ConversionOptions = ConversionOptions(),
        dtype: DType? = nil,
        shardSize: Int = Converter.shardSize
    ) async throws -> ConversionReport {
        try await Converter(
            plan: try plan(options),
            sources: tensors,
            options: options,
            identity: ConversionIdentity(
                name: try ModelName(parsing: "test/sample"),
                version: try SemanticVersion(parsing: "1.0.0"),
                created: Timestamp(secondsSince1970: 0)
            ),
            dtype: dtype,
            shardSize: shardSize
        ).write(to: folder)
    }
}

extension JSONValue {
    /// Equal, with 4 and 4.0 the same number.
    func isClose(to other: JSONValue) -> Bool {
        guard let left = number, let right = other.number else { return self == other }
        return left == right
    }

    private var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
