// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// `show --bom`, compared with documents that `Tests/Vectors/bom/check.py` found valid.
@Suite struct BillOfMaterialsTests {
    private func show(
        _ zoo: Program,
        _ model: String,
        _ format: String,
        _ options: [String] = []
    ) async throws -> ProgramRun {
        var environment = zoo.environment
        environment["SOURCE_DATE_EPOCH"] = "1800000000"
        return try await ProgramRun(
            Program.executable,
            ["show", model, "--bom", format] + options,
            environment: environment
        )
    }

    private func requireVector(_ run: ProgramRun, _ name: String) throws {
        #expect(run.status == 0, "\(run.errors)")
        let path = "\(Program.root)Tests/Vectors/bom/\(name).json"
        // Written anew when it is missing; then check.py has to find it valid.
        guard let vector = try? String(contentsOfFile: path, encoding: .utf8) else {
            try run.output.write(toFile: path, atomically: true, encoding: .utf8)
            throw ZooError(.fileMissing, "\(path) was missing, and was written: run check.py")
        }
        #expect(run.output == vector, "\(name) differs; remove it, run the test, then check.py")
    }

    @Test(arguments: ["cyclonedx", "spdx"])
    func aTrainedModelHasTheCheckedBill(format: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await show(zoo, "ami/ball-drop:1.1.0", format)
            try requireVector(run, "trained.\(format)")
            // Every file with its digest, and every claim.
            let shown = try await zoo("show", "ami/ball-drop:1.1.0", "--json")
            let record = try shown.document.object("record")
            for file in try record.objects("files", maximum: 99) {
                #expect(run.output.contains(try file.string("digest").dropFirst(7)))
            }
            for claim in try record.objects("evaluation", maximum: 99) {
                #expect(run.output.contains(try claim.string("metric")))
            }
        }
    }

    /// With provenance, without a known licence, and without a validation.
    @Test(arguments: ["cyclonedx", "spdx"])
    func aConvertedModelHasTheCheckedBill(format: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let (release, registry) = (folder.path(of: "release"), folder.path(of: "registry"))
            let converted = try await ProgramRun(
                Program.executable,
                ["convert"] + Conversions.vjepa2 + ["--to", release, "--name", "lab/tiny"],
                environment: zoo.environment
            )
            try #require(converted.status == 0, "\(converted.errors)")
            #expect(try await zoo("registry", "init", registry).status == 0)
            let pack = try await zoo(
                "pack",
                release,
                "--output",
                registry,
                "--compression",
                "none",
                "--unvalidated",
                "a test"
            )
            #expect(pack.status == 0, "\(pack.errors)")
            let run = try await show(zoo, "lab/tiny", format, ["--registry", registry])
            try requireVector(run, "converted.\(format)")
            // The same from what was pulled.
            let path = folder.path(of: "pulled")
            let pull = try await zoo("pull", "lab/tiny", "--registry", registry, "--to", path)
            #expect(pull.status == 0)
            #expect(try await show(zoo, path, format).output == run.output)
        }
    }

    @Test func onlyModelsHaveABill() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let registry = try await DataSetSource(.folders, with: zoo, in: folder).registry()
            let list = try await zoo("list", "--kind", "dataset", "--registry", registry, "--json")
            let name = try list.document.objects("datasets", maximum: 9)[0].string("name")
            let run = try await show(zoo, name, "spdx", ["--registry", registry])
            #expect(run.status == 64 && run.errors.contains("release.not-a-model"), "\(run.errors)")
            #expect(try await show(zoo, name, "spdx", ["--json"]).status == 64)
            #expect(try await show(zoo, name, "other").status == 64)
        }
    }
}
