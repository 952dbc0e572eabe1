// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Compares input sizes with the training size, and reports each differing size once.
final class InputSize: Sendable {
    /// The valid ratio of a side to the training size, for images that the preprocessing does not
    /// resize.
    ///
    /// A model has not learned positions outside this range.
    private static let range = 0.5...2

    private let input: ModelInput
    private let onNote: (@Sendable (String) -> Void)?
    private let noted = Mutex<Set<[Int]>>([])
    private let notedFolders = Mutex<Set<String>>([])

    init(_ input: ModelInput, onNote: (@Sendable (String) -> Void)?) {
        self.input = input
        self.onNote = onNote
    }

    /// Reports the size of preprocessed pixels [.., height, width] if it is not the training size.
    func note(_ pixels: Shape, of path: String) {
        let sizes = Array(pixels.sizes.suffix(2))
        guard let onNote, sizes != [input.height, input.width],
            noted.withLock({ $0.insert(sizes).inserted })
        else { return }
        onNote(
            "'\(path)' is \(sizes[1]) x \(sizes[0]) pixels; the model was trained on \(input.width) x "
                + "\(input.height), and features at other sizes may be worse"
        )
    }

    /// Notes what lies among the frames of a folder and is not read.
    func noteStrays(_ names: [String], of path: String) {
        guard let onNote, !names.isEmpty, notedFolders.withLock({ $0.insert(path).inserted }) else {
            return
        }
        onNote("'\(path)' holds more than pictures; left out: \(FrameFolder.list(names))")
    }

    /// Notes that an image or a video is rotated or mirrored before the model sees it.
    func note(_ turn: EXIFOrientation, of path: String) {
        onNote?(
            "'\(path)' is \(turn.summary), as its metadata states; --orientation stored reads it as stored"
        )
    }

    /// Rejects an image whose size is far from the training size if the preprocessing does not
    /// resize it.
    ///
    /// - Throws: `ZooError` with code `input.unsuitable`.
    func requireNear(
        _ image: RGBImage,
        by preprocessing: Preprocessing,
        of path: String
    ) throws(ZooError) {
        guard preprocessing.resize == .none, preprocessing.crop == .none else { return }
        let (width, height) = (image.width, image.height)
        let ratios = [
            Double(width) / Double(input.width), Double(height) / Double(input.height),
        ]
        guard !ratios.allSatisfy(Self.range.contains) else { return }
        throw ZooError(
            .inputUnsuitable,
            "'\(path)' is \(width) x \(height) pixels; the model takes \(input.width) x \(input.height), "
                + "and its preprocessing does not resize",
            remedy:
                "scale it to \(input.width) x \(input.height) pixels first, or pass a .safetensors "
                + "file with 'pixel_values'"
        )
    }
}
