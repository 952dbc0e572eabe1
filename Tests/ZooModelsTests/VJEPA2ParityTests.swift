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
        let predicted = try await model.requirePredictor().predict(targets, from: known)
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

    /// A whole model, with the rows of one sample, which are too few to pack weights for, and with
    /// those of many, packed and beginning in the middle of tiles.
    @Test(.serialized, arguments: KernelPath.allCases)
    func everyCopyOfTheKernelsAgrees(path: KernelPath) async throws {
        guard KernelPath.runnable.contains(path) else {
            print("\(path) is not compared: this processor cannot run it")
            return
        }
        KernelPath.limit(to: path)
        defer { KernelPath.limit(to: nil) }
        let each = try #require(Self.cases.first { $0.model == "plain" && $0.name == "default" })
        let model = try VJEPA2Model(folder: "\(Self.folder)/plain", positions: .cropSize)
        let pixels = try expected(each, "pixel_values")
        let single = try await model.encode(pixels).tokens.values
        try expectClose(single, each, "last_hidden_state")
        let copies = 13
        let many = try await model.encode(
            Tensor(
                shape: Shape([copies * pixels.shape[0]] + pixels.shape.sizes.dropFirst()),
                values: (0..<copies).flatMap { _ in pixels.values }
            ),
            on: ComputePool(threads: 2)
        ).tokens.values
        #expect(many.shape[0] * many.shape[1] >= 48)
        let expected = single.values
        for (index, value) in many.values.enumerated() {
            let wanted = expected[index % expected.count]
            if !(abs(value - wanted) <= Self.tolerance) {
                Issue.record("element \(index) is \(value) and not \(wanted)")
                break
            }
        }
    }

    @Test func aProfileCountsWhatAForwardPassDoes() async throws {
        let each = try #require(Self.cases.first { $0.model == "plain" })
        let model = try VJEPA2Model(folder: "\(Self.folder)/plain", positions: .cropSize)
        let profile = Profile()
        let pool = ComputePool(threads: 2, profile: profile)
        _ = try await model.encode(try expected(each, "pixel_values"), on: pool)
        let totals = profile.totals
        let kinds: [Profile.Kind] = [
            .patchEmbedding, .norm, .attentionLinear, .attentionProducts, .softmax, .headSplit,
            .mlpLinear, .gelu,
        ]
        for kind in kinds { #expect(totals.entries[kind].map { $0.calls > 0 } == true, "\(kind)") }
        let configuration = model.configuration.encoder
        let tokens =
            try expected(each, "last_hidden_state").shape.elementCount / configuration.width
        #expect(
            totals.entries[.mlpLinear]?.operations
                == 4 * tokens * configuration.width * configuration.hidden * each.layers
        )
        #expect(totals.threadSeconds > 0)
        #expect((0...1).contains(totals.shareOutsideProducts))
    }
}
