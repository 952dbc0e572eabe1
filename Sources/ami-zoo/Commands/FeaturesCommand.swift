// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooDrawing
internal import ZooInference
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// `ami-zoo features`.
struct FeaturesCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Draw the patch features of an image or a clip as colours.",
        discussion: """
            The first three principal components of the patch features become red, green and blue, \
            drawn below the frames. Patches with similar features have similar colours.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: InputOptions.help)
    var input: String

    @Option(name: .customLong("output"), help: "The .png file to write.")
    var destination: String

    @OptionGroup var reading: InputOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> FeaturesOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "encode")
        let folder = computation.location.folder
        let file = try OutputFile(destination, endings: [".png"], apartFrom: [input, folder])
        let components = try await computation.run { [self] in
            let (pool, view) = (computation.pool, computation.progress)
            let run = try await EmbedRun(
                folder: folder,
                selection: reading.selection,
                onNote: { view.note($0) }
            )
            let model = run.model
            let pixels = try await run.reader.clip(input).pixelValues.asClips
            let features = try await model.encode(
                pixels,
                visible: nil,
                options: view.forward(),
                on: pool
            ).tokens.values
            try FeaturePicture.check(features, of: pixels, input: model.input)
            let tokens = Shape([features.shape[0] * features.shape[1], features.shape[2]])
            let components = try await PrincipalComponents(of: features.reshaped(tokens), on: pool)
            let picture = FeaturePicture(components, of: pixels, input: model.input)
            try await computation.write { try file.write(picture.image.pngBytes()) }
            return components
        }
        return FeaturesOutcome(
            path: file.path,
            tokens: components.projections.shape[0],
            explained: components.explained,
            time: computation.time
        )
    }
}

extension Tensor {
    /// Images as clips of one frame.
    fileprivate var asClips: Tensor {
        let sizes = shape.sizes
        return sizes.count == 4 ? reshaped(Shape([sizes[0], 1] + sizes.dropFirst())) : self
    }
}

struct FeaturesOutcome: Report {
    let path: String
    let tokens: Int
    let explained: [Float]
    let time: Duration

    var json: JSONValue {
        [
            "output": .string(path), "tokens": .integer(tokens),
            "explainedVariance": .array(explained.map(JSONValue.float)),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        let shares = explained.map { "\(Int(($0 * 100).rounded())) %" }.joined(separator: ", ")
        return """
            \(tokens) tokens; red, green and blue explain \(shares) of the variance (\(time.shortText))
            \(path)
            """
    }
}
