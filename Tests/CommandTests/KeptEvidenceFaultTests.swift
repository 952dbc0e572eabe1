// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// A disk that cannot read one of the attachments that a folder keeps.
@Suite struct KeptEvidenceFaultTests {
    @Test func oneUnreadableFileEndsNothing() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let model = folder.path(of: "model")
            let registry = ["--registry", "\(Program.root)registry/embedded"]
            func run(_ fault: [String: String], _ arguments: [String]) async throws -> ProgramRun {
                try await ProgramRun(
                    Program.executable,
                    arguments + ["--json"],
                    environment: zoo.environment.merging(fault) { $1 }
                )
            }
            let pull = try await run([:], ["pull", "ami/ball-drop", "--to", model] + registry)
            try #require(pull.status == 0, "\(pull.errors)")
            let kept = "\(model)/.ami-zoo/attachments"
            let names = try FileManager.default.contentsOfDirectory(atPath: kept)
            #expect(names.count == 5)
            for name in names {
                let fault = faults.environment("/.ami-zoo/attachments/\(name)", ["ERRNO": "\(EIO)"])
                let verified = try await run(fault, ["verify", model])
                #expect(verified.status == 1, "\(verified.output)\(verified.errors)")
                let findings = try verified.document.objects("findings", maximum: 20)
                let found = try findings.filter { try $0.string("path").hasSuffix("/\(name)") }
                #expect(try found.map { try $0.string("code") } == ["io.failed"])
                let evidence = try verified.document.object("evidence")
                // Without its list, the attachments themselves are still there.
                let isList = name == "index.json"
                #expect(try evidence.string("state") == (isList ? "validated" : "invalid"))
                #expect(
                    try evidence.objects("unreadable", maximum: 9).count == (isList ? 1 : 0)
                )
                for command in ["show", "repair"] {
                    let arguments = command == "show" ? [] : registry
                    let done = try await run(fault, [command, model] + arguments)
                    #expect(done.status == 0, "\(command): \(done.output)\(done.errors)")
                }
                #expect(try await run([:], ["verify", model]).status == 0)
            }
        }
    }
}
