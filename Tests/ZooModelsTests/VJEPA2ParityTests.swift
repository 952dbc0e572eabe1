// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooModels
import ZooTensor

/// Compares with what transformers computes, stage by stage.
///
/// The tolerance is 1e-5: outputs are of order 1, and float32 sums in another order differ by a few
/// units in the seventh digit.
@Suite struct VJEPA2ParityTests {
    static let tolerance: Float = 1e-5

    /// One case of `Tests/Vectors/families/vjepa2/cases.json`.
    struct Case: Codable, CustomTestStringConvertible, Sendable {
        let name: String
        let context: [[Int]]?
        let targets: [[Int]]?
        var model = ""
        var layers = 0
        var testDescription: String { "\(model)/\(name)" }

        enum CodingKeys: String, CodingKey {
            case name, context, targets
        }
    }

    private struct Listing: Codable {
        struct Model: Codable {
            let model: String
            let layers: Int
            let cases: [Case]
        }
        let models: [Model]
    }

    static let folder = "\(vectors)/families/vjepa2"

    static let cases: [Case] = {
        do {
            let text = try Data(contentsOf: URL(filePath: "\(folder)/cases.json"))
            return try JSONDecoder().decode(Listing.self, from: text).models.flatMap { model in
                model.cases.map { each in
                    var each = each
                    each.model = model.model
                    each.layers = model.layers
                    return each
                }
            }
        } catch {
            Issue.record(error)
            return []
        }
    }()

    private func expected(_ each: Case, _ stage: String) throws -> Tensor {
        let checkpoint = try Checkpoint(
            opening: "\(Self.folder)/\(each.model)/expected.safetensors"
        )
        return try #require(checkpoint["\(each.name).\(stage)"]).tensor
    }

    private func expectClose(
        _ found: Tensor,
        _ each: Case,
        _ stage: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try expected(each, stage)
        #expect(found.shape == expected.shape, sourceLocation: location)
        var worst: Float = 0
        for (left, right) in zip(found.values, expected.values) {
            worst = max(worst, (left - right).isNaN ? .infinity : abs(left - right))
        }
        #expect(worst <= Self.tolerance, "\(stage)", sourceLocation: location)
    }

    @Test(arguments: cases)
    func everyStageOfTheEncoderMatches(each: Case) async throws {
        let model = try VJEPA2Model(folder: "\(Self.folder)/\(each.model)", positions: .cropSize)
        let encoding = try await model.encode(
            try expected(each, "pixel_values"),
            options: ForwardOptions(keepsLayers: true)
        )
        #expect(encoding.layers.count == each.layers + 1)
        for (index, layer) in encoding.layers.enumerated() {
            try expectClose(layer, each, "layers.\(index)")
        }
        try expectClose(encoding.tokens.values, each, "last_hidden_state")
    }

    @Test(arguments: cases)
    func predictionsAndTheirTargetsMatch(each: Case) async throws {
        let model = try VJEPA2Model(folder: "\(Self.folder)/\(each.model)", positions: .cropSize)
        let tokens = try await model.encode(try expected(each, "pixel_values")).tokens
        let context = try each.context.map { try TokenSelection($0) } ?? tokens.selection
        let targets = try each.targets.map { try TokenSelection($0) } ?? tokens.selection
        let known = try tokens.selecting(context)
        let predicted = try await model.predict(targets, from: known)
        try expectClose(predicted.values, each, "predicted")
        try expectClose(try tokens.selecting(targets).values, each, "targets")
        if each.context != nil { try expectClose(known.values, each, "masked") }
    }

    @Test(arguments: cases.filter { $0.context != nil })
    func theEncoderSeesOnlyVisibleTokens(each: Case) async throws {
        let model = try VJEPA2Model(folder: "\(Self.folder)/\(each.model)", positions: .cropSize)
        let encoding = try await model.encode(
            try expected(each, "pixel_values"),
            visible: try TokenSelection(try #require(each.context))
        )
        try expectClose(encoding.tokens.values, each, "visible")
    }

    @Test(arguments: [1, 2, 5])
    func theNumberOfThreadsDoesNotMatter(threads: Int) async throws {
        let each = try #require(Self.cases.first { $0.model == "plain" && $0.name == "scattered" })
        let model = try VJEPA2Model(folder: "\(Self.folder)/plain")
        let encoding = try await model.encode(
            try expected(each, "pixel_values"),
            on: ComputePool(threads: threads)
        )
        try expectClose(encoding.tokens.values, each, "last_hidden_state")
    }
}
