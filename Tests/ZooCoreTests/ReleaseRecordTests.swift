// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Release records")
struct ReleaseRecordTests {
    /// The vector with two archives and two components.
    private let record: ReleaseRecord

    init() throws {
        let vector = try #require(Vector.all("record").first { $0.label == "full" })
        record = try ReleaseRecord(canonical: try vector.bytes())
    }

    @Test("a component needs its own files and those that belong to no component")
    func filesOfOneComponent() {
        let paths = record.files(of: ["encoder"]).map(\.path.text)
        #expect(paths.contains("model.safetensors"))
        #expect(paths.contains("config.json"))
        #expect(!paths.contains("predictor/model.safetensors"))
        #expect(record.files(of: ["encoder", "predictor"]).count == record.files.count)
    }

    @Test("every field of a full record is read")
    func fields() throws {
        #expect(record.name.description == "ami/ball-drop")
        #expect(record.version.description == "1.0.0")
        #expect(record.architecture.family == "vjepa2")
        #expect(record.architecture.configuration == ["depth": 12])
        #expect(record.inputs.modality == .image)
        guard case .pictures(let pictures) = record.inputs,
            case .steps(let steps) = pictures.preprocessing
        else {
            Issue.record("the inputs are no pictures with steps")
            return
        }
        #expect(steps.std == [0.5, 0.5, 0.5])
        #expect(try PictureSteps(JSONObject(steps.json), channels: 3) == steps)
        #expect(record.homepage == "https://example.org/")
        #expect(record.lineage.kind == .converted)
        #expect(record.evaluation.map(\.value) == [0.125, -3, 0.125])
        #expect(record.evaluation.map(\.tolerance) == [0.01, 0.01, nil])
        #expect(record.evaluation.map(\.status) == [.measured, .upstream, .measured])
        #expect(record.components.map(\.prefix) == ["encoder.", ""])
        #expect(record.minimumReader.description == "0.1.0")
    }

    @Test("the remedy for a missing feature is the version that has it")
    func featureRemedy() throws {
        let vector = try #require(
            Vector.all("record").first { $0.label == "unknown required feature" }
        )
        let error = #expect(throws: ZooError.self) {
            try ReleaseRecord(canonical: try vector.bytes())
        }
        #expect(error?.code == .featureRequired)
        #expect(error?.remedy == "update ami-zoo to version 0.1.0 or later")
    }
}
