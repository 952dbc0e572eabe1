// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import Foundation
internal import ZooConvert
internal import ZooCore
internal import ZooTensor

/// The options of a conversion that the tensors do not determine.
struct ConversionArguments: ParsableArguments {
    @Option(help: "The family: \(Self.families). Default: detected.")
    var family: String?

    @Option(help: "The state dict to take the encoder from, such as target_encoder.")
    var component: String?

    @Option(
        help: "The dtype of the converted weights: keep, f32, bf16 or f16.",
        transform: Self.dtype
    )
    var dtype: DTypeChoice = .keep

    @Option(help: "The number of attention heads of the encoder, which the weights do not show.")
    var heads: Int?

    @Option(help: "The number of attention heads of the predictor.")
    var predictorHeads: Int?

    @Option(help: "The side length of training images in pixels.")
    var cropSize: Int?

    @Option(help: "The number of frames in training clips.")
    var frames: Int?

    @Option(help: "The index of the probe, from 0, when the file holds several.")
    var probe: Int?

    @Option(
        help: "The backbone blocks that the probe reads, from 0, such as 17,19,21,23.",
        transform: Self.levels
    )
    var backboneLevels: [Int]?

    /// The dtype of the converted weights, or the dtype of the upstream weights.
    enum DTypeChoice: Equatable {
        case keep
        case convert(DType)

        var dtype: DType? {
            switch self {
            case .keep: nil
            case .convert(let dtype): dtype
            }
        }
    }

    private static let families = ConvertibleFamily.all.map(\.name).joined(separator: ", ")

    private static func dtype(_ text: String) throws -> DTypeChoice {
        switch text {
        case "keep": .keep
        case "f32": .convert(.f32)
        case "bf16": .convert(.bf16)
        case "f16": .convert(.f16)
        default: throw ValidationError("'\(text)' is not one of keep, f32, bf16 and f16")
        }
    }

    private static func levels(_ text: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let level = Int(word), (0...511).contains(level) else {
                throw ValidationError("'\(text)' is not a list of blocks, such as 17,19,21,23")
            }
            return level
        }
    }

    var options: ConversionOptions {
        var options = ConversionOptions()
        options.family = family
        options.component = component
        options.heads = heads
        options.predictorHeads = predictorHeads
        options.cropSize = cropSize
        options.frames = frames
        options.probe = probe
        options.backboneLevels = backboneLevels
        return options
    }

    func validate() throws {
        let numbers = [heads, predictorHeads, cropSize, frames].compactMap { $0 }
        guard numbers.allSatisfy({ (1...65_536).contains($0) }),
            (0...1_000_000).contains(probe ?? 0)
        else { throw ValidationError("numbers must be greater than 0") }
    }

    /// The creation time in the release record: `SOURCE_DATE_EPOCH`, or 1970 if it is not set.
    ///
    /// The clock is not used, so that equal inputs give equal releases. Source of the variable:
    /// reproducible-builds.org.
    static var created: Timestamp { .sourceDate ?? Timestamp(secondsSince1970: 0) }
}

extension Timestamp {
    /// The time in `SOURCE_DATE_EPOCH`, which makes documents reproducible; nil if it is not set.
    static var sourceDate: Timestamp? {
        let text = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"]
        return text.flatMap { Int($0) }.map {
            Timestamp(secondsSince1970: min(max($0, 0), 253_402_300_799))
        }
    }
}
