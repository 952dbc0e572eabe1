// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// `validate` and the gate of `publish`, on a small copy of ami/ball-drop with two suites.
@Suite struct ValidateTests {
    /// The same tensors with uniform random numbers from -0.05 to 0.05.
    private static func untrained(_ weights: [UInt8]) -> [UInt8] {
        let header = 8 + (0..<8).reduce(0) { $0 | Int(weights[$1]) << (8 * $1) }
        var (bytes, state) = (Array(weights[..<header]), UInt64(7))
        bytes.reserveCapacity(weights.count)
        while bytes.count < weights.count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Float(state >> 40) / Float(1 << 24) * 0.1 - 0.05
            for shift in 0..<4 {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(shift))))
            }
        }
        return bytes
    }

    /// The codes of the errors that a report lists, by check.
    private func faults(_ run: ProgramRun) throws -> [String: Set<String>] {
        var faults: [String: Set<String>] = [:]
        for check in try run.document.objects("checks", maximum: 10) {
            for finding in try check.objects("findings", maximum: 1000)
            where try finding.string("severity") == "error" {
                faults[try check.string("name"), default: []].insert(try finding.string("code"))
            }
        }
        return faults
    }

    @Test func aModelIsPublishedWithEvidenceForItsBytesOnly() async throws {
        try await TemporaryFolder.with { folder in
            let candidate = try await ValidationCandidate(in: folder)
            let (zoo, registry) = (candidate.zoo, candidate.sample.registry)
            let early = try await candidate.publish()
            #expect(early.status == 77)
            #expect(early.errorCode == "evidence.missing")
            #expect(
                try await zoo("versions", "test/candidate", "--registry", registry).status == 66
            )

            let report = folder.path(of: "report")
            let run = try await candidate.validate(["--report", report])
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            #expect(try run.text("result") == "passed")
            #expect(try run.integer("reproduced") == 2)
            let page = String(decoding: try folder.read("report/report.html"), as: UTF8.self)
            #expect(page.contains("landing place error"))
            #expect(page.contains("reproduced 2 of 2 claims"))
            #if os(Linux)
            // What the system says about the processor, read by other means.
            let names = ["-n", "s/^model name.*: //p", "/proc/cpuinfo"]
            let shell = try await ProgramRun("sed", names)
            if let processor = shell.output.split(separator: "\n").first {
                let machine = try run.document.object("machine")
                #expect(try machine.string("processor") == processor)
            }
            #endif

            // A changed byte is another release.
            let card = try folder.read("model/README.md")
            try folder.write(card + [0x0A], to: "model/README.md")
            #expect(try await candidate.publish().errorCode == "evidence.missing")
            #expect(
                try await candidate.publish(["--evidence", report]).errorCode
                    == "evidence.other-release"
            )
            try folder.write(card, to: "model/README.md")

            // A changed report is no evidence.
            let bytes = try folder.read("report/report.json")
            let changed = String(decoding: bytes, as: UTF8.self).replacing("\"avx", with: "\"bvx")
                .replacing("portable", with: "portably")
            try folder.write(Array(changed.utf8), to: "report/report.json")
            #expect(
                try await candidate.publish(["--evidence", report]).errorCode == "evidence.changed"
            )

            let published = try await candidate.publish()
            #expect(published.status == 0, "\(published.output)")
            let shown = try await zoo("show", "test/candidate", "--registry", registry, "--json")
            let evidence = try shown.document.object("evidence")
            #expect(try evidence.string("state") == "validated")
            #expect(try evidence.integer("reproduced", in: 0...9) == 2)
            let list = try await zoo("list", "--registry", registry, "--json")
            let models = try list.document.objects("models", maximum: 9)
            #expect(try models[0].string("evidence") == "validated")
            #expect(try await zoo("registry", "check", registry).status == 0)
            let repeated = try await candidate.publish()
            let release = try repeated.document.objects("releases", maximum: 1)[0]
            #expect(try release.integer("attachments", in: 0...9) == 0)
            #expect(try await candidate.validate().status == 0)
            let pack = try await zoo("pack", candidate.source, "--output", registry)
            #expect(pack.output.contains("was already packed"), "\(pack.output)")
            #expect(pack.output.contains(", attached: evidence of its validation"))

            // A partner measures it again.
            let pull = try await zoo("pull", "test/candidate", "--registry", registry, "--json")
            #expect(pull.status == 0, "\(pull.errors)")
            // Without a network, and without any registry.
            let path = try pull.text("path")
            let version = try await zoo("--version").output.trimmingCharacters(in: .newlines)
            for run in [
                try await zoo("verify", path, "--json"),
                try await zoo("show", "test/candidate", "--offline", "--json"),
                try await zoo("show", path, "--json"),
            ] {
                #expect(run.status == 0, "\(run.output)")
                let kept = try run.document.object("evidence")
                #expect(try kept.string("state") == "validated")
                #expect(kept.value("signed") == .bool(false))
                #expect(try kept.string("program") == version)
                #expect(try kept.integer("reproduced", in: 0...9) == 2)
            }
            for run in [try await zoo("verify", path), try await zoo("show", path)] {
                #expect(run.output.contains("by ami-zoo"), "\(run.output)")
                #expect(run.output.contains("reproduced 2 of 2 claims (not signed)"))
            }
            let again = try await zoo(
                "validate",
                "test/candidate",
                "--registry",
                registry,
                "--work",
                folder.path(of: "partner")
            )
            #expect(again.status == 0, "\(again.output)\(again.errors)")
            #expect(again.output.contains("reproduced 2 of 2 claims: passed"))
            #expect(again.output.contains("\nmeasured on "))
            #expect(again.output.contains("\nevidence before: validated "))
            #expect(again.output.contains(", f32"))
        }
    }

    /// The probes of ami/shapes are fitted again to the features of other weights, so that only their results can fall.
    @Test func untrainedWeightsOfShapesFail() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let registry = "\(Program.root)registry/embedded"
            let shown = try await zoo("show", "ami/shapes", "--registry", registry, "--json")
            let evidence = try shown.document.object("evidence")
            #expect(try evidence.string("state") == "validated")

            try FileManager.default.copyItem(
                atPath: "\(Program.root)models/ami/shapes/release",
                toPath: folder.path(of: "model")
            )
            let suites = folder.path(of: "model/suites")
            for name in try FileManager.default.contentsOfDirectory(atPath: suites)
            where !["golden.json", "shape-knn.json"].contains(name) {
                try FileManager.default.removeItem(atPath: "\(suites)/\(name)")
            }
            let yaml = try String(
                contentsOfFile: "\(Program.root)models/ami/shapes/model.yaml",
                encoding: .utf8
            )
            let parts = yaml.split(separator: "  - suite: ", omittingEmptySubsequences: false)
            let claims = parts.dropFirst().filter { $0.hasPrefix("shape-knn\n") }
            #expect(!claims.isEmpty)
            let description = ([parts[0]] + claims).joined(separator: "  - suite: ")
            try folder.write(Array(description.utf8), to: "model/model.yaml")
            let weights = try folder.read("model/model.safetensors")
            try folder.write(Self.untrained(weights), to: "model/model.safetensors")

            let run = try await zoo(
                "validate",
                folder.path(of: "model"),
                "--registry",
                registry,
                "--json"
            )
            #expect(run.status == 1, "\(run.output)\(run.errors)")
            let found = try faults(run)
            #expect(found["parity"] == ["validation.parity"])
            #expect(found["claims"] == ["validation.claim-not-reproduced"])
            let outcomes = try run.document.objects("claims", maximum: 10).map {
                try ($0.string("metric"), $0.string("outcome"))
            }
            #expect(outcomes.contains { $0 == ("accuracy, 20 neighbours", "worse") }, "\(outcomes)")
        }
    }

    /// Each change must be caught, and by the check that is there for it.
    @Test func everyFaultOfAModelIsCaught() async throws {
        try await TemporaryFolder.with { folder in
            let candidate = try await ValidationCandidate(in: folder)
            let weights = try folder.read("model/model.safetensors")
            let golden = try folder.read("model/goldens/reference.safetensors")
            let config = String(decoding: try folder.read("model/config.json"), as: UTF8.self)
            let steps = String(
                decoding: try folder.read("model/preprocessor_config.json"),
                as: UTF8.self
            )
            func restore() throws {
                try folder.write(weights, to: "model/model.safetensors")
                try folder.write(golden, to: "model/goldens/reference.safetensors")
                try folder.write(Array(config.utf8), to: "model/config.json")
                try folder.write(Array(steps.utf8), to: "model/preprocessor_config.json")
                try candidate.describe()
            }
            @discardableResult
            func check(
                _ what: String,
                _ expected: [String: Set<String>],
                _ change: () throws -> Void
            ) async throws -> ProgramRun {
                try change()
                let run = try await candidate.validate()
                try #require(run.status == 1, "\(what): \(run.output)\(run.errors)")
                let found = try faults(run)
                for (name, codes) in expected {
                    #expect(
                        !codes.isDisjoint(with: found[name] ?? []),
                        "\(what): \(found)"
                    )
                }
                #expect(try await candidate.publish().status != 0, "\(what)")
                try restore()
                return run
            }
            try await check(
                "a claim that is too good",
                ["claims": ["validation.claim-not-reproduced"]]
            ) {
                try candidate.describe { $0.replacing("value: 0.", with: "value: 0.0") }
            }
            try await check("noise in the weights", ["parity": ["validation.parity"]]) {
                var changed = weights
                for index in changed.count / 2..<changed.count / 2 + 4096 where index % 4 == 2 {
                    changed[index] ^= 0x5A
                }
                try folder.write(changed, to: "model/model.safetensors")
            }
            let untrained = try await check(
                "an untrained model",
                [
                    "parity": ["validation.parity"],
                    "claims": ["validation.claim-not-reproduced"],
                ]
            ) {
                try folder.write(Self.untrained(weights), to: "model/model.safetensors")
            }
            let outcomes = try untrained.document.objects("claims", maximum: 9)
                .map { try $0.string("outcome") }
            #expect(outcomes == ["worse", "worse"])
            try await check("an old reference", ["parity": ["validation.parity"]]) {
                var changed = golden
                for index in changed.count - 64..<changed.count where index % 4 == 3 {
                    changed[index] ^= 0x01
                }
                try folder.write(changed, to: "model/goldens/reference.safetensors")
            }
            try await check("another normalisation", ["parity": ["validation.parity"]]) {
                let changed = steps.replacing("0.25", with: "0.5")
                #expect(changed != steps)
                try folder.write(Array(changed.utf8), to: "model/preprocessor_config.json")
            }
            try await check("a claim without tolerance", ["rules": ["validation.claim-unfounded"]])
            {
                try candidate.describe { $0.replacing("    tolerance: 0.01\n", with: "") }
            }
            try await check("a claim of no suite", ["rules": ["validation.claim-unfounded"]]) {
                try candidate.describe { $0.replacing("suite: trajectory", with: "suite: landing") }
            }
            try await check("a suite that is none", ["suites": ["format.field-invalid"]]) {
                let text = String(
                    decoding: try folder.read("model/suites/golden.json"),
                    as: UTF8.self
                )
                try folder.write(
                    Array(text.replacing("\"suiteVersion\": 1", with: "\"suiteVersion\": 0").utf8),
                    to: "model/suites/golden.json"
                )
            }
        }
    }
}
