// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles

extension Preprocessing {
    /// The preprocessing of the model in a folder.
    ///
    /// It is read from `video_preprocessor_config.json` or `preprocessor_config.json` as
    /// transformers and `ami-zoo convert` write them, and where there is none from the release record
    /// of an installed release or of a converted folder. The files of an installed release must be
    /// regular files; in other folders they may be symbolic links, of which the Hugging Face cache
    /// consists.
    ///
    /// - Throws: ``ZooError`` with code `media.preprocessing-missing` when the folder describes none,
    ///   `media.preprocessing-invalid` when it describes what is not supported, or `io.*`.
    public init(folder: String) throws(ZooError) {
        let receipts = try FileSystem.status("\(folder)/.ami-zoo")
        if let receipts, receipts.kind == .link {
            throw ZooError(
                .notAFile,
                "'\(folder)/.ami-zoo' is a symbolic link, not a folder",
                remedy: "pull the release again, or remove the link"
            )
        }
        let followsLinks = receipts == nil
        for name in ["video_preprocessor_config.json", "preprocessor_config.json"] {
            let path = "\(folder)/\(name)"
            if try FileSystem.status(path) != nil {
                self = try Self.reading(path, followingLinks: followsLinks) {
                    object throws(ZooError) in
                    var kind = try object.optionalString("video_processor_type")
                    if kind == nil { kind = try object.optionalString("image_processor_type") }
                    if kind == Self.videoProcessor || (kind == nil && name.hasPrefix("video_")) {
                        return try Self(videoProcessor: object)
                    }
                    return try Self(processor: object)
                }
                return
            }
        }
        for name in [".ami-zoo/record.json", "release.json"] {
            let path = "\(folder)/\(name)"
            guard try FileSystem.status(path) != nil else { continue }
            self = try Self.reading(path, followingLinks: followsLinks) { object throws(ZooError) in
                try Self(
                    record: try ReleaseRecord(
                        canonical: JSONValue.object(object.members).canonicalBytes
                    )
                )
            }
            return
        }
        throw ZooError(
            .preprocessingMissing,
            "'\(folder)' does not describe its preprocessing",
            remedy: "put a preprocessor_config.json into the folder"
        )
    }

    private static func reading(
        _ path: String,
        followingLinks: Bool,
        _ body: (JSONObject) throws(ZooError) -> Preprocessing
    ) throws(ZooError) -> Preprocessing {
        let bytes = try FileSystem.document(
            path,
            limit: 16 << 20,
            followingLinks: followingLinks
        )
        do {
            return try body(try JSONObject(try JSONValue(parsing: bytes)))
        } catch {
            throw ZooError(
                .preprocessingInvalid,
                "'\(path)' describes preprocessing that is not supported: \(error.message)",
                remedy: "correct the file, or get it again",
                cause: error
            )
        }
    }
}

// MARK: - transformers

extension Preprocessing {
    /// The largest side of an image that a description may ask for.
    private static let sides = 1...16_384

    private static let videoProcessor = "VJEPA2VideoProcessor"

    /// The fields of `VJEPA2VideoProcessor`, with its defaults for fields that are absent.
    ///
    /// It computes the size from the crop, and ignores `size`. Source: huggingface/transformers
    /// `video_processing_vjepa2.py`.
    private init(videoProcessor object: JSONObject) throws(ZooError) {
        var fields = object.members
        // A field that is null is not absent: transformers takes it for no.
        for (name, value) in Self.videoDefaults where fields[name] == nil { fields[name] = value }
        let height: Int
        switch fields["crop_size"] {
        case .integer(let side)?: height = side
        case .object(let size)?:
            height = try JSONObject(.object(size)).integer("height", in: Self.sides)
        default: throw object.invalid("crop_size", "must be an integer, or 'height' and 'width'")
        }
        guard Self.sides.contains(height) else { throw object.invalid("crop_size", "is \(height)") }
        fields["size"] = ["shortest_edge": .integer(Int(Double(height * 256) / 224))]
        try self.init(processor: try JSONObject(.object(fields)))
    }

    private static let videoDefaults: [String: JSONValue] = [
        "do_resize": true, "do_center_crop": true, "do_rescale": true, "do_normalize": true,
        "crop_size": 256, "resample": 2,
        "image_mean": [.number(0.485), .number(0.456), .number(0.406)],
        "image_std": [.number(0.229), .number(0.224), .number(0.225)],
    ]

    /// The fields of `VJEPA2VideoProcessor` and `ViTImageProcessor`.
    ///
    /// Source: huggingface/transformers `image_processing_backends.py` (resize with antialias, crop
    /// rounded down), `video_processing_utils.py`.
    init(processor object: JSONObject) throws(ZooError) {
        let known = ["VJEPA2VideoProcessor", "ViTImageProcessor", "ViTImageProcessorFast"]
        for name in ["video_processor_type", "image_processor_type"] {
            if let kind = try object.optionalString(name), !known.contains(kind) {
                throw object.invalid(name, "is '\(kind)', which is not supported")
            }
        }
        let resize = try Self.resize(object)
        let crop = try Self.crop(object)
        let rescales = try Self.flag(object, "do_rescale")
        let normalises = try Self.flag(object, "do_normalize")
        self.init(
            resize: resize,
            resampling: .bytes(try Self.resampler(object)),
            crop: crop,
            rescale: rescales ? try Self.factor(object) : nil,
            mean: normalises ? try Self.triple(object, "image_mean") : [0, 0, 0],
            std: normalises ? try Self.triple(object, "image_std") : [1, 1, 1]
        )
        guard std.allSatisfy({ $0 > 0 }) else {
            throw object.invalid("image_std", "must be larger than 0")
        }
    }

    private static func flag(_ object: JSONObject, _ name: String) throws(ZooError) -> Bool {
        switch object.value(name) {
        case .bool(let value): return value
        case nil, .null: return false
        default: throw object.invalid(name, "must be true or false")
        }
    }

    private static func resize(_ object: JSONObject) throws(ZooError) -> Resize {
        guard try flag(object, "do_resize") else { return .none }
        if case .integer(let side)? = object.value("size") {
            guard sides.contains(side) else { throw object.invalid("size", "is \(side)") }
            return .exact(width: side, height: side)
        }
        let size = try object.object("size")
        if size.value("shortest_edge") != nil {
            return .shortSide(try size.integer("shortest_edge", in: sides))
        }
        return .exact(
            width: try size.integer("width", in: sides),
            height: try size.integer("height", in: sides)
        )
    }

    private static func crop(_ object: JSONObject) throws(ZooError) -> Crop {
        guard try flag(object, "do_center_crop") else { return .none }
        if case .integer(let side)? = object.value("crop_size") {
            guard sides.contains(side) else { throw object.invalid("crop_size", "is \(side)") }
            return .centre(width: side, height: side, rounding: .down)
        }
        let size = try object.object("crop_size")
        return .centre(
            width: try size.integer("width", in: sides),
            height: try size.integer("height", in: sides),
            rounding: .down
        )
    }

    /// Numbers of `PIL.Image.Resampling`: 2 is bilinear, 3 bicubic.
    private static func resampler(_ object: JSONObject) throws(ZooError) -> Resampler {
        switch try object.optionalInteger("resample", in: 0...5) ?? 2 {
        case 2: return .torchvisionBilinear
        case 3: return .torchvisionBicubic
        default: throw object.invalid("resample", "must be 2 (bilinear) or 3 (bicubic)")
        }
    }

    private static func factor(_ object: JSONObject) throws(ZooError) -> Double {
        guard object.value("rescale_factor") != nil else { return 1.0 / 255 }
        let factor = try object.number("rescale_factor")
        guard factor > 0 && factor <= 1 else {
            throw object.invalid("rescale_factor", "is \(factor), and must be between 0 and 1")
        }
        return factor
    }

    private static func triple(
        _ object: JSONObject,
        _ name: String
    ) throws(ZooError) -> [Double] {
        let values = try object.numbers(name, maximum: 3)
        guard values.count == 3, values.allSatisfy({ abs($0) < 1000 }) else {
            throw object.invalid(name, "must be three numbers")
        }
        return values
    }
}

// MARK: - Release records

extension Preprocessing {
    /// The preprocessing that a release record states in fields.
    init(record: ReleaseRecord) throws(ZooError) {
        guard case .pictures(let pictures) = record.inputs,
            case .steps(let steps) = pictures.preprocessing
        else {
            throw ZooError(
                .preprocessingInvalid,
                "the record of '\(record.name):\(record.version)' states no steps",
                remedy: "put a preprocessor_config.json into the folder, or convert the model again"
            )
        }
        try self.init(steps)
    }

    /// The steps of a record, where they are supported here.
    ///
    /// - Throws: ``ZooError`` with code `media.preprocessing-invalid`.
    public init(_ steps: PictureSteps) throws(ZooError) {
        guard steps.mean.count == 3 else {
            throw Self.unsupported("\(steps.mean.count) channels; 3 are supported")
        }
        let resize: Resize =
            switch steps.resize {
            case .none: .none
            case .shorterSide(let side): .shortSide(side)
            case .exact(let height, let width): .exact(width: width, height: height)
            }
        let crop: Crop =
            switch steps.crop {
            case .none: .none
            case .center(let height, let width, let rounding):
                .centre(
                    width: width,
                    height: height,
                    rounding: rounding == .down ? .down : .halfToEven
                )
            case .views(let side, let count): .views(side: side, count: count)
            }
        self.init(
            resize: resize,
            resampling: try steps.resampling.map(Self.resampling) ?? .bytes(.torchvisionBilinear),
            crop: crop,
            rescale: steps.rescale,
            mean: steps.mean,
            std: steps.std,
            orientation: steps.orientation == .upright ? .upright : .stored
        )
    }

    private static func resampling(
        _ rule: PictureSteps.Resampling
    ) throws(ZooError) -> Resampling {
        switch (rule.domain, rule.implementation, rule.filter, rule.antialias) {
        case (.bytes, .torchvision, .bilinear, true): return .bytes(.torchvisionBilinear)
        case (.bytes, .torchvision, .bicubic, true): return .bytes(.torchvisionBicubic)
        case (.bytes, .pillow, .bilinear, true): return .bytes(.pillowBilinear)
        case (.bytes, .pillow, .bicubic, true): return .bytes(.pillowBicubic)
        case (.bytes, .opencv, .bilinear, false): return .bytes(.openCVLinear)
        case (.floats, .torchvision, .bilinear, let antialias):
            return .floats(antialias: antialias)
        case (.normalized, .torchvision, .bilinear, let antialias):
            return .normalisedFloats(antialias: antialias)
        default:
            let antialias = rule.antialias ? "with" : "without"
            throw unsupported(
                "\(rule.filter.rawValue) resampling of \(rule.domain.rawValue) by "
                    + "\(rule.implementation.rawValue), \(antialias) antialias"
            )
        }
    }

    private static func unsupported(_ what: String) -> ZooError {
        ZooError(
            .preprocessingInvalid,
            "the record asks for \(what), which is not supported",
            remedy: "update ami-zoo, or put a preprocessor_config.json into the folder"
        )
    }
}
