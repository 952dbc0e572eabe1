// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Provenance of conversions: written, kept, published, pulled and shown.
@Suite struct ProvenanceTests {
    private func digest(_ path: String) async throws -> String {
        let run = try await ProgramRun("sha256sum", [path])
        return "sha256:" + run.output.prefix(64)
    }

    /// Converts the small V-JEPA 2 and publishes it.
    private func publish(
        _ zoo: Program,
        in folder: TemporaryFolder,
        change: (String) throws -> Void = { _ in }
    ) async throws -> ProgramRun {
        let (release, registry) = (folder.path(of: "release"), folder.path(of: "registry"))
        let converted = try await ProgramRun(
            Program.executable,
            ["convert"] + Conversions.vjepa2 + ["--to", release, "--name", "lab/tiny"],
            environment: zoo.environment
        )
        try #require(converted.status == 0, "\(converted.errors)")
        #expect(try await zoo("verify", release).status == 0)
        try change(release)
        #expect(try await zoo("registry", "init", registry).status == 0)
        let layout = folder.path(of: "layout")
        let pack = try await zoo("pack", release, "--output", layout)
        try #require(pack.status == 0, "\(pack.errors)")
        let published = try await zoo(
            "publish",
            layout,
            "--registry",
            registry,
            "--unvalidated",
            "a test"
        )
        #expect(published.status == 0, "\(published.errors)")
        return try await ProgramRun(
            "/bin/sh",
            ["-c", "printf '%s' \"$0\"; printf '%s' \"$1\" >&2", published.output, pack.errors]
        )
    }

    @Test func provenanceTravelsWithARelease() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await publish(zoo, in: folder) { release in
                // What a person adds is covered by nothing.
                try Data("a card\n".utf8).write(to: URL(filePath: "\(release)/README.md"))
            }
            #expect(run.output.contains("its provenance"), "\(run.output)")
            let registry = folder.path(of: "registry")
            let path = folder.path(of: "pulled")
            let pull = try await zoo("pull", "lab/tiny", "--registry", registry, "--to", path)
            #expect(pull.status == 0, "\(pull.errors)")
            #expect(!FileManager.default.fileExists(atPath: "\(path)/provenance.intoto.json"))
            let source = try await digest(Conversions.file)
            for run in [
                try await zoo("show", "lab/tiny", "--registry", registry, "--json"),
                try await zoo("show", path, "--json"), try await zoo("verify", path, "--json"),
            ] {
                #expect(run.status == 0, "\(run.output)")
                let provenance = try run.document.object("provenance")
                let sources = try provenance.objects("sources", maximum: 9)
                #expect(try sources.map { try $0.string("digest") } == [source])
                #expect(try sources[0].string("name") == "upstream.pt")
                #expect(provenance.value("signed") == .bool(false))
                #expect(try provenance.object("parameters").string("family") == "vjepa2")
                let files = try provenance.strings("files", maximum: 99)
                #expect(files.contains("model.safetensors") && !files.contains("README.md"))
            }
            let text = try await zoo("verify", path)
            #expect(text.output.contains("files converted by ami-zoo"), "\(text.output)")
            #expect(text.output.contains("from 'upstream.pt' \(source) (not signed)"))
            #expect(try await zoo("registry", "check", registry).status == 0)
            // A repetition attaches nothing more.
            let again = try await zoo(
                "publish",
                folder.path(of: "layout"),
                "--registry",
                registry,
                "--unvalidated",
                "a test",
                "--json"
            )
            let release = try again.document.objects("releases", maximum: 1)[0]
            #expect(
                try !release.strings("attached", maximum: 9).contains(AttachmentDraft.provenance)
            )
        }
    }

    /// The same file and options give the same statement, and every file with its digest.
    @Test func theStatementNamesWhatWasReadAndWritten() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var statements: [[UInt8]] = []
            for name in ["one", "two"] {
                let run = try await ProgramRun(
                    Program.executable,
                    ["convert"] + Conversions.probe + ["--to", folder.path(of: name)],
                    environment: zoo.environment
                )
                try #require(run.status == 0, "\(run.errors)")
                statements.append(try folder.read("\(name)/provenance.intoto.json"))
            }
            #expect(statements[0] == statements[1])
            let provenance = try ConversionProvenance(statement: statements[0])
            // The probe and its backbone.
            #expect(provenance.sources.count == 2)
            for (source, file) in zip(provenance.sources, [Conversions.probe[0], Conversions.file])
            {
                #expect(try await "\(source.digest)" == digest(file))
            }
            let model = folder.path(of: "one")
            let names = try FileManager.default.contentsOfDirectory(atPath: model)
            let written = Set(names).subtracting(["provenance.intoto.json", "release.json"])
            #expect(Set(provenance.outputs.keys) == written)
            for (name, digest) in provenance.outputs {
                #expect(try await "\(digest)" == self.digest("\(model)/\(name)"))
            }
        }
    }

    /// Weights that a conversion did not write are not said to come from it.
    @Test func provenanceOfOtherWeightsIsLeftOut() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await publish(zoo, in: folder) { release in
                let url = URL(filePath: "\(release)/provenance.intoto.json")
                let text = try String(contentsOf: url, encoding: .utf8)
                // Another digest of the weights.
                let range = try #require(text.range(of: #""name":"model.safetensors""#))
                let start = try #require(
                    text.range(
                        of: #""sha256":""#,
                        options: .backwards,
                        range: text.startIndex..<range.lowerBound
                    )
                ).upperBound
                var changed = text
                let end = changed.index(after: start)
                changed.replaceSubrange(start..<end, with: text[start] == "0" ? "1" : "0")
                try Data(changed.utf8).write(to: url)
            }
            #expect(run.errors.contains("is left out") && run.errors.contains("model.safetensors"))
            #expect(!run.output.contains("provenance"))
        }
    }
}
