// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooMedia
import ZooTensor

/// Inputs of models against the libraries and classes that the protocols come from.
@Suite struct PreprocessingTests {
    /// Values are of order 1 in float32, and rounded at other places.
    static let tolerance: Float = 2e-6

    static let protocols: [String: @Sendable (Int) -> Preprocessing] = [
        "vjepa2-processor": { .vjepa2Processor(crop: $0) },
        "meta-video": { .metaVideo(crop: $0) },
        "meta-image": { .metaImage(crop: $0) },
        "ijepa-processor": { .ijepaProcessor(side: $0) },
        "vjepa2-ac": { .vjepa2AC(side: $0) },
        "jepa-wm": { .jepaWM(side: $0) },
        "dino-wm": { .dinoWM(side: $0) },
        "lewm": { .leWM(side: $0) },
    ]

    static let shapes = [(name: "wide", crop: 24), (name: "tall", crop: 12)]

    private func clip(_ shape: String) throws -> RGBClip {
        let frames = try Expectations("preprocessing-\(shape)").images(shape)
        return RGBClip(frames: frames, indices: Array(frames.indices))
    }

    @Test("tensors are those of the protocol", arguments: protocols.keys.sorted())
    func protocolTensors(_ name: String) throws {
        for shape in Self.shapes {
            let make = try #require(Self.protocols[name])
            let preprocessing = make(shape.crop)
            let tensor = try preprocessing.tensor(of: clip(shape.name))
            let expected = try Expectations("preprocessing-\(shape.name)").tensor(
                "\(name).\(shape.name)"
            )
            let gap = difference(tensor, expected)
            #expect(gap <= Self.tolerance, "\(shape.name)")
        }
    }

    @Test("three views along the longer side are those of Meta's evaluation")
    func views() throws {
        for shape in Self.shapes {
            let views = try Preprocessing.metaVideoViews(crop: shape.crop).views(
                of: clip(shape.name)
            )
            #expect(views.count == 3)
            for (index, view) in views.enumerated() {
                let expected = try Expectations("preprocessing-\(shape.name)").tensor(
                    "meta-video-views-\(index).\(shape.name)"
                )
                #expect(difference(view, expected) <= Self.tolerance, "\(shape.name) \(index)")
            }
        }
    }

    @Test("pictures made one at a time are those of the whole clip")
    func onePictureAtATime() async throws {
        let media = try await MediaFile.open("\(vectors)/videos/h264.mp4")
        let indices = [0, 9, 9, 39]
        let preprocessing = Preprocessing.metaVideoViews(crop: 16)
        let whole = try preprocessing.views(of: await media.read(indices: indices))
        let single = try await preprocessing.views(of: media, indices: indices)
        #expect(single.map(\.shape) == Array(repeating: [4, 3, 16, 16], count: 3))
        #expect(single.map(\.values) == whole.map(\.values))
    }

    @Test("configurations that transformers writes are read")
    func processors() throws {
        #expect(
            try Preprocessing(folder: "\(vectors)/processors/vjepa2") == .vjepa2Processor(crop: 56)
        )
        var expected = Preprocessing.ijepaProcessor()
        expected.resize = .exact(width: 48, height: 56)
        #expect(try Preprocessing(folder: "\(vectors)/processors/vit") == expected)
    }

    @Test(
        "the steps of a release record are those of the presets",
        arguments: [
            (PictureSteps.Resampling.Domain.floats, false, Preprocessing.vjepa2AC(side: 64)),
            (.normalized, true, Preprocessing.leWM(side: 64)),
        ]
    )
    func releaseRecord(
        _ domain: PictureSteps.Resampling.Domain,
        _ antialias: Bool,
        _ expected: Preprocessing
    ) throws {
        let steps = PictureSteps(
            resize: .exact(height: 64, width: 64),
            resampling: .init(
                filter: .bilinear,
                antialias: antialias,
                domain: domain,
                implementation: .torchvision
            ),
            crop: .none,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225]
        )
        #expect(try Preprocessing(steps) == expected)
        let read = try PictureSteps(JSONObject(steps.json), channels: 3)
        #expect(try Preprocessing(read) == expected)
    }

    @Test("resampling that is not supported is refused")
    func unsupportedSteps() throws {
        let steps = PictureSteps(
            resize: .shorterSide(64),
            resampling: .init(
                filter: .bicubic,
                antialias: false,
                domain: .bytes,
                implementation: .opencv
            ),
            crop: .none,
            mean: [0, 0, 0],
            std: [1, 1, 1]
        )
        #expect(throws: ZooError(.preprocessingInvalid, "")) { try Preprocessing(steps) }
    }

    @Test("a folder that says nothing about its inputs is an error of its own")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ZooError(.preprocessingMissing, "")) {
            try Preprocessing(folder: folder.path)
        }
    }

    /// `VJEPA2VideoProcessor.from_pretrained(folder).size` and `.crop_size` of transformers 5.23.
    @Test(
        "the size of a V-JEPA 2 processor follows from its crop, whatever the file says",
        arguments: [
            (#""crop_size": {"height": 32, "width": 32}, "size": {"shortest_edge": 99}"#, 32, 36),
            (#""crop_size": 48, "size": {"height": 48, "width": 48}"#, 48, 54),
            (#""crop_size": 40, "size": 40"#, 40, 45), (#""crop_size": 15"#, 15, 17),
            (#""size": null"#, 256, 292),
        ]
    )
    func sizeFollowsCrop(_ members: String, _ crop: Int, _ side: Int) throws {
        for (name, kind) in [
            ("video_preprocessor_config.json", ""),
            ("preprocessor_config.json", #""video_processor_type": "VJEPA2VideoProcessor", "#),
        ] {
            let folder = try TemporaryFolder()
            try folder.write("{\(kind)\(members)}".utf8, to: name)
            let found = try Preprocessing(folder: folder.path)
            #expect(found.resize == .shortSide(side))
            #expect(found.crop == .centre(width: crop, height: crop, rounding: .down))
            var expected = Preprocessing.vjepa2Processor(crop: crop)
            expected.resize = .shortSide(side)
            #expect(found == expected)
        }
    }

    @Test("a V-JEPA 2 processor without a crop does not crop, and lists are refused as there")
    func cropsOfProcessors() throws {
        let (folder, name) = (try TemporaryFolder(), "video_preprocessor_config.json")
        try folder.write(#"{"do_center_crop": false, "crop_size": 32}"#.utf8, to: name)
        let found = try Preprocessing(folder: folder.path)
        #expect(found.crop == .none)
        #expect(found.resize == .shortSide(36))
        // A field that is null counts as false, one that is absent as true.
        try folder.write(#"{"do_resize": null}"#.utf8, to: name)
        #expect(try Preprocessing(folder: folder.path).resize == .none)
        for crop in ["[32, 32]", "null", "-1", "0", #"{"shortest_edge": 32}"#, #""32""#] {
            try folder.write("{\"crop_size\": \(crop)}".utf8, to: name)
            #expect(throws: ZooError(.preprocessingInvalid, "")) {
                try Preprocessing(folder: folder.path)
            }
        }
    }

    @Test("processor files may be links, as in the cache of Hugging Face")
    func links() throws {
        for (family, name) in [
            ("vjepa2", "video_preprocessor_config.json"), ("vit", "preprocessor_config.json"),
        ] {
            let (folder, source) = (try TemporaryFolder(), "\(vectors)/processors/\(family)")
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/\(name)",
                withDestinationPath: "\(source)/\(name)"
            )
            #expect(try Preprocessing(folder: folder.path) == Preprocessing(folder: source))
        }
    }

    @Test(
        "no file of an installed release may be a link",
        arguments: [
            "video_preprocessor_config.json", "preprocessor_config.json", ".ami-zoo/record.json",
            "release.json",
        ]
    )
    func linksOfARelease(_ name: String) throws {
        let file = try JSONValue(
            parsing: Array(
                Data(contentsOf: URL(filePath: "\(vectors)/../registry/record.json"))
            )
        )
        guard case .array(let cases)? = try JSONObject(file).members["vectors"] else {
            Issue.record("no vectors")
            return
        }
        let record = try JSONObject(try #require(cases.first)).string("document", maximum: 1 << 16)
        let isRecord = name.hasSuffix("record.json") || name == "release.json"
        let content = isRecord ? record : #"{"do_resize": false, "do_center_crop": false}"#
        let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/.ami-zoo",
            withIntermediateDirectories: false
        )
        try folder.write(content.utf8, to: name)
        let expected = try Preprocessing(folder: folder.path)
        try FileManager.default.moveItem(
            atPath: "\(folder.path)/\(name)",
            toPath: "\(other.path)/file"
        )
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/\(name)",
            withDestinationPath: "\(other.path)/file"
        )
        var error = #expect(throws: ZooError.self) { try Preprocessing(folder: folder.path) }
        #expect(error?.code.rawValue == "io.not-a-file")
        // The same link in a folder that is not an installed release.
        guard !name.hasPrefix(".") else { return }
        try FileManager.default.removeItem(atPath: "\(folder.path)/.ami-zoo")
        #expect(try Preprocessing(folder: folder.path) == expected)
        // Nor may the folder of receipts be a link.
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/.ami-zoo",
            withDestinationPath: other.path
        )
        error = #expect(throws: ZooError.self) { try Preprocessing(folder: folder.path) }
        #expect(error?.code.rawValue == "io.not-a-file")
    }

    @Test(
        "hostile configurations are refused",
        arguments: [
            "", "[]", "{", #"{"do_resize": true}"#, #"{"do_resize": 1}"#,
            #"{"do_resize": true, "size": {"shortest_edge": 0}}"#,
            #"{"do_resize": true, "size": {"shortest_edge": 99999999}}"#,
            #"{"do_resize": true, "size": {"height": 8, "width": -1}}"#,
            #"{"do_resize": true, "size": {"height": 8, "width": 8}, "resample": 1}"#,
            #"{"do_center_crop": true, "crop_size": "large"}"#,
            #"{"do_rescale": true, "rescale_factor": 0}"#,
            #"{"do_normalize": true, "image_mean": [0, 0, 0], "image_std": [1, 0, 1]}"#,
            #"{"do_normalize": true, "image_mean": [0, 0], "image_std": [1, 1, 1]}"#,
            #"{"image_processor_type": "SiglipImageProcessor"}"#,
        ]
    )
    func hostile(_ text: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(text.utf8, to: "preprocessor_config.json")
        #expect(throws: ZooError(.preprocessingInvalid, "")) {
            try Preprocessing(folder: folder.path)
        }
    }

    @Test("a crop that does not fit, and a strip that would grow without bound, are refused")
    func geometry() throws {
        let small = RGBClip(
            repeating: RGBImage(width: 8, height: 8, pixels: Array(repeating: 0, count: 192)),
            count: 1
        )
        let crop = Preprocessing(
            resize: .none,
            resampling: .bytes(.openCVLinear),
            crop: .centre(width: 9, height: 8, rounding: .down)
        )
        #expect(throws: ZooError(.mediaTooSmall, "")) { try crop.tensor(of: small) }
        let strip = RGBClip(
            repeating: RGBImage(
                width: 20_000,
                height: 1,
                pixels: Array(repeating: 0, count: 60_000)
            ),
            count: 1
        )
        #expect(throws: ZooError(.mediaTooLarge, "")) {
            try Preprocessing.metaVideo().tensor(of: strip)
        }
    }
}
