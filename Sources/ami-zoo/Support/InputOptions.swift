// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooInference
internal import ZooMedia

/// Options of commands that read images and videos.
struct InputOptions: ParsableArguments {
    /// The help text of an input argument.
    static let help: ArgumentHelp = """
        An image, a video, a folder of images, or a .safetensors file with 'pixel_values' \
        [batch, frames, channels, height, width], or 'values' [batch, steps, channels] of a time \
        series.
        """

    @Option(help: "Frames of a video to read (default: as many as the model was trained on).")
    var frames: Int?

    @Option(
        help: "Read every Nth frame of a video (default: frames are spread over the whole video)."
    )
    var step: Int?

    @Option(help: OrientationOption.help)
    var orientation = OrientationOption.upright

    func validate() throws {
        let range = FrameSelection.range
        for (name, value) in [("--frames", frames), ("--step", step)] {
            if let value, !range.contains(value) {
                throw ValidationError("\(name) must be \(range.lowerBound) to \(range.upperBound)")
            }
        }
    }

    /// The frames to read.
    var selection: FrameSelection {
        FrameSelection(count: frames, step: step, orientation: orientation.value)
    }
}

/// The orientation option of the commands that read images and videos.
enum OrientationOption: String, ExpressibleByArgument, CaseIterable {
    case upright, stored

    static let help: ArgumentHelp =
        "'upright' applies the orientation that EXIF or the display matrix states; 'stored' ignores it."

    var value: Orientation { self == .upright ? .upright : .stored }
}
