// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

@testable import ZooEval

/// Lists and scenes that contradict their layout are refused with a code and the place, one contradiction at a time.
@Suite struct HostileListTests {
    /// Data in a layout: the files by name, and what is expected of them.
    struct Layout: Sendable {
        let document: JSONValue
        let files: [String: String]
        let paths: [String]
        let labels: [Int]

        init(_ layout: JSONValue, _ files: [String: String], _ paths: [String], _ labels: [Int]) {
            document = HeldEvaluation.classificationDocument(count: paths.count, layout: layout)
            (self.files, self.paths, self.labels) = (files, paths, labels)
        }
    }

    static let layouts: [String: Layout] = [
        "file-list": Layout(
            ["kind": "file-list", "list": "val.csv", "folder": "clips"],
            [
                "val.csv": "b/two words.mp4 1\na.mp4 0\r\n\nc.mp4 11\n", "clips/a.mp4": "a",
                "clips/b/two words.mp4": "b", "clips/c.mp4": "c",
            ],
            ["clips/b/two words.mp4", "clips/a.mp4", "clips/c.mp4"],
            [1, 0, 11]
        ),
        "something-something": Layout(
            [
                "kind": "something-something", "labels": "labels.json", "list": "val.json",
                "folder": "v",
            ],
            [
                "labels.json": #"{"Holding something": "1", "Dropping something": 0}"#,
                "val.json": """
                [{"id": "9", "label": "x", "template": "Holding [something]"},
                 {"id": "10", "template": "Dropping [something]"}]
                """,
                "v/9.webm": "9", "v/10.webm": "10", "v/11.webm": "not in the list",
            ],
            ["v/9.webm", "v/10.webm"],
            [1, 0]
        ),
        "kinetics": Layout(
            ["kind": "kinetics", "list": "val.csv", "folder": "v"],
            [
                "val.csv": """
                label,youtube_id,time_start,time_end,split,is_cc
                "yoga",-WH-lxmGJVY,5,15,val,0
                abseiling,a_b,123,133,val,1

                """,
                "v/yoga/-WH-lxmGJVY_000005_000015.mp4": "1", "v/a_b_000123_000133.mkv": "2",
            ],
            ["v/yoga/-WH-lxmGJVY_000005_000015.mp4", "v/a_b_000123_000133.mkv"],
            [1, 0]
        ),
        "diving48": Layout(
            ["kind": "diving48", "list": "test.json", "folder": "rgb"],
            [
                "test.json": """
                [{"vid_name": "x_1", "label": 47, "start_frame": 0, "end_frame": 9},
                 {"vid_name": "x_0", "label": 3, "start_frame": 0, "end_frame": 9}]
                """,
                "rgb/x_0.mp4": "0", "rgb/x_1.mp4": "1",
            ],
            ["rgb/x_1.mp4", "rgb/x_0.mp4"],
            [47, 3]
        ),
    ]

    @Test(arguments: ["file-list", "something-something", "kinetics", "diving48"])
    func listsAreRead(name: String) async throws {
        let layout = try #require(Self.layouts[name])
        let split = try #require(try await Self.open(layout, [:]))
        #expect(split.samples.map(\.path) == layout.paths)
        #expect(split.samples.map(\.label) == layout.labels)
    }

    /// A file and its new content (nil removes it), and what is told.
    struct Change: Sendable, CustomTestStringConvertible {
        let layout: String
        let file: String
        let content: String?
        let code: String
        let named: String
        var testDescription: String { "\(layout), \(file): \(content ?? "removed")" }

        init(_ layout: String, _ file: String, _ content: String?, _ code: String, _ named: String)
        {
            (self.layout, self.file, self.content) = (layout, file, content)
            (self.code, self.named) = ("evaluation.\(code)", named)
        }
    }

    static let changes: [Change] = [
        Change("file-list", "clips/a.mp4", nil, "file-missing", "clips/a.mp4"),
        Change("file-list", "val.csv", nil, "file-missing", "val.csv"),
        Change("file-list", "val.csv", "", "list-malformed", "val.csv"),
        Change("file-list", "val.csv", "\u{0}\n", "label-missing", "line 1"),
        Change("file-list", "val.csv", "a.mp4 0\nb.mp4\n", "label-missing", "line 2"),
        Change(
            "file-list",
            "val.csv",
            "a.mp4 0\na.mp4 0\nc.mp4 1",
            "list-malformed",
            "clips/a.mp4"
        ),
        Change("file-list", "val.csv", "a.mp4 -1\n", "list-malformed", "-1"),
        Change("file-list", "val.csv", "a.mp4 x\n", "list-malformed", "'x'"),
        Change("file-list", "val.csv", "a.mp4 12345678901234567890\n", "list-malformed", "line 1"),
        Change("file-list", "val.csv", "../a.mp4 1\n", "list-malformed", "../a.mp4"),
        Change("file-list", "val.csv", "/etc/passwd 1\n", "list-malformed", "/etc/passwd"),
        Change("file-list", "val.csv", "a.mp4 0\n", "data-differs", "1 samples"),
        Change("something-something", "v/9.webm", nil, "file-missing", "'9'"),
        Change("something-something", "v/more/9.mp4", "9", "file-unexpected", "v/more/9.mp4"),
        Change("something-something", "labels.json", nil, "file-missing", "labels.json"),
        Change("something-something", "labels.json", "[]", "list-malformed", "labels.json"),
        Change("something-something", "labels.json", "{}", "list-malformed", "labels.json"),
        Change("something-something", "labels.json", "{", "list-malformed", "labels.json"),
        Change(
            "something-something",
            "labels.json",
            #"{"Holding something": "1", "Dropping something": 1}"#,
            "list-malformed",
            "something"
        ),
        Change(
            "something-something",
            "labels.json",
            #"{"Holding something": "2", "Dropping something": 0}"#,
            "list-malformed",
            "0 to 1"
        ),
        Change(
            "something-something",
            "labels.json",
            #"{"Holding something": "0"}"#,
            "label-missing",
            "Dropping [something]"
        ),
        Change("something-something", "val.json", "{}", "list-malformed", "val.json"),
        Change("something-something", "val.json", "[1]", "list-malformed", "entry 0"),
        Change("something-something", "val.json", "[]", "list-malformed", "no samples"),
        Change(
            "something-something",
            "val.json",
            #"[{"id": "9"}]"#,
            "list-malformed",
            "template"
        ),
        Change(
            "something-something",
            "val.json",
            #"[{"id": "../9", "template": "Holding [something]"}]"#,
            "file-missing",
            "../9"
        ),
        Change(
            "something-something",
            "val.json",
            #"[{"id": "9", "template": "Holding something"}, {"id": "9", "template": "Holding something"}]"#,
            "list-malformed",
            "v/9.webm"
        ),
        Change("kinetics", "val.csv", "", "list-malformed", "label"),
        Change("kinetics", "val.csv", "label,youtube_id\nyoga,x\n", "list-malformed", "time_start"),
        Change(
            "kinetics",
            "val.csv",
            "label,youtube_id,time_start,time_end\nyoga,x\n",
            "list-malformed",
            "row 2"
        ),
        Change(
            "kinetics",
            "val.csv",
            "label,youtube_id,time_start,time_end\n,x,1,2\n",
            "label-missing",
            "row 2"
        ),
        Change(
            "kinetics",
            "val.csv",
            "label,youtube_id,time_start,time_end\nyoga,x,1.5,2\n",
            "list-malformed",
            "row 2"
        ),
        Change(
            "kinetics",
            "val.csv",
            "label,youtube_id,time_start,time_end\nyoga,x,1,2\n",
            "file-missing",
            "x_000001_000002"
        ),
        Change(
            "kinetics",
            "val.csv",
            "label,youtube_id,time_start,time_end\nyo\"ga,x,1,2\n",
            "list-malformed",
            "quote"
        ),
        Change("diving48", "test.json", #"[{"vid_name": "x_1"}]"#, "label-missing", "entry 0"),
        Change(
            "diving48",
            "test.json",
            #"[{"vid_name": "x_1", "label": -1}]"#,
            "list-malformed",
            "label"
        ),
        Change("diving48", "rgb/x_1.mp4", nil, "file-missing", "x_1"),
    ]

    @Test(arguments: changes)
    func listsThatContradictTheirLayoutAreRefused(change: Change) async throws {
        let layout = try #require(Self.layouts[change.layout])
        let error = await #expect(throws: ZooError.self) {
            _ = try await Self.open(layout, [change.file: change.content])
        }
        #expect(error?.code.rawValue == change.code, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.message.contains(change.named) == true, "\(error?.message ?? "")")
        #expect(error?.remedy != nil)
    }

    private static func open(
        _ layout: Layout,
        _ changes: [String: String?]
    ) async throws -> HeldData.Labelled? {
        try await TemporaryFolder.with { folder in
            let files = layout.files.mapValues { Optional($0) }.merging(changes) { $1 }
            for (name, content) in files {
                if let content { try folder.write(Array(content.utf8), to: "data/\(name)") }
            }
            let definition = try SuiteDefinition(parsing: layout.document.canonicalBytes)
            guard case .held(let source) = definition.data else { return nil }
            return try await HeldData(source, in: try HeldFolder(folder.path(of: "data")))
                .labelled("test")
        }
    }

    // MARK: Scenes

    private static let kinds = ["frozen", "reversed"]

    @Test(arguments: [
        ("dev/frozen/01/3/status.json", nil, "file-missing", "dev/frozen/01/3/status.json"),
        ("dev/frozen/01/3/status.json", "{}", "label-missing", "dev/frozen/01/3/status.json"),
        (
            "dev/frozen/01/3/status.json", #"{"header": {"is_possible": 1}}"#, "label-missing",
            "dev/frozen/01/3/status.json"
        ),
        (
            "dev/frozen/01/3/status.json", #"{"header": {"is_possible": false}}"#, "scene-invalid",
            "dev/frozen/01"
        ),
        ("dev/frozen/01/5/status.json", "{}", "scene-invalid", "1, 2, 3, 4, 5"),
        ("dev/frozen/01/2", nil, "scene-invalid", "1, 3, 4"),
        ("dev/frozen/01/2/scene", nil, "file-missing", "dev/frozen/01/2/scene"),
        ("dev/frozen/01/2/scene/scene_015.png", nil, "clip-too-short", "15 frames"),
        ("dev/notes.txt", "x", "file-unexpected", "dev/notes.txt"),
        ("dev/frozen/01/notes.txt", "x", "file-unexpected", "dev/frozen/01/notes.txt"),
        ("dev/frozen", nil, "data-differs", "2 samples"),
        ("dev", nil, "file-missing", "dev"),
    ])
    func scenesThatContradictTheirLayoutAreRefused(
        file: String,
        content: String?,
        code: String,
        named: String
    ) async throws {
        try await TemporaryFolder.with { folder in
            try SceneFolder.write(Self.kinds, to: folder, step: 1, order: [0, 1, 2, 3])
            if let content {
                try folder.write(Array(content.utf8), to: file)
            } else {
                try FileManager.default.removeItem(atPath: folder.path(of: file))
            }
            let error = await #expect(throws: ZooError.self) { try await Self.scenes(folder) }
            #expect(
                error?.code.rawValue == "evaluation.\(code)",
                "\(error.map { "\($0)" } ?? "no error")"
            )
            #expect(error?.message.contains(named) == true, "\(error?.message ?? "")")
        }
    }

    /// The movies that match are both possible, or a frame cannot be decoded.
    @Test func framesThatContradictTheirScenesAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            try SceneFolder.write(Self.kinds, to: folder, step: 1, order: [0, 1, 2, 3])
            for (movie, isPossible) in [(2, true), (3, false)] {
                try folder.write(
                    Array("{\"header\": {\"is_possible\": \(isPossible)}}".utf8),
                    to: "dev/frozen/01/\(movie)/status.json"
                )
            }
            let error = await #expect(throws: ZooError.self) { try await Self.scenes(folder) }
            #expect(error?.code.rawValue == "evaluation.scene-invalid")
            #expect(error?.message.contains("movies 1 and 2") == true)
        }
        try await TemporaryFolder.with { folder in
            try SceneFolder.write(Self.kinds, to: folder, step: 1, order: [0, 1, 2, 3])
            try folder.write([1, 2, 3], to: "dev/frozen/01/2/scene/scene_003.png")
            let error = await #expect(throws: ZooError.self) { try await Self.scenes(folder) }
            #expect(error?.code.rawValue == "media.format-unknown")
            #expect(error?.message.contains("dev/frozen/01/2/scene/scene_003.png") == true)
        }
    }

    private static func scenes(_ folder: TemporaryFolder) async throws {
        _ = try await HeldEvaluation(
            HeldEvaluation.scenesDocument(kinds: kinds, pairs: 4, step: 1),
            model: "\(SampleEvaluation.root)/models/ami/ball-drop/release",
            data: folder.path
        )
    }

    // MARK: Classifiers

    @Test(
        arguments: [
            (["rule": "every", "step": 8, "frames": 4], "name", [1], "evaluation.clip-too-short"),
            (["rule": "uniform", "frames": 4], "name", [1, 9], "evaluation.data-unsuitable"),
            (["rule": "uniform", "frames": 4], "name", [5, 1], "format.field-invalid"),
            (["rule": "uniform", "frames": 4], "number", [1], "format.field-invalid"),
            (["rule": "uniform", "frames": 0], "name", [1], "format.field-invalid"),
            (["rule": "random", "frames": 4], "name", [1], "format.field-invalid"),
        ] as [(JSONValue, String, [Int], String)]
    )
    func definitionsOfClassifiersThatDoNotSuitAreRefused(
        sampling: JSONValue,
        classes: String,
        top: [Int],
        code: String
    ) async throws {
        let document = HeldEvaluation.classificationDocument(
            classes: classes,
            top: top,
            sampling: sampling
        )
        let error = await #expect(throws: ZooError.self) {
            _ = try await TemporaryFolder.with { folder in
                try await HeldEvaluation(
                    document,
                    model: HeldEvaluation.classifier,
                    data: HeldEvaluation.something
                ).report(in: folder.path(of: "work"))
            }
        }
        #expect(error?.code.rawValue == code, "\(error.map { "\($0)" } ?? "no error")")
    }

    @Test func classesThatTheModelDoesNotHaveAreRefused() async throws {
        for (layout, classes) in [
            ("something-something", "name"), ("something-something", "index"),
        ]
            + [("diving48", "name"), ("diving48", "index")]
        {
            let chosen = try #require(Self.layouts[layout])
            guard case .object(var document) = chosen.document,
                case .object(var parameters)? = document["parameters"]
            else { throw CancellationError() }
            parameters["classes"] = .string(classes)
            document["parameters"] = .object(parameters)
            try await TemporaryFolder.with { folder in
                for (name, content) in chosen.files {
                    try folder.write(Array(content.utf8), to: "data/\(name)")
                }
                let error = await #expect(throws: ZooError.self) {
                    _ = try await HeldEvaluation(
                        .object(document),
                        model: HeldEvaluation.classifier,
                        data: folder.path(of: "data")
                    ).run()
                }
                #expect(error?.code.rawValue == "evaluation.data-unsuitable", "\(layout)")
            }
        }
    }
}
