// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTesting

/// What the documents refer to exists: files, folders and commands.
@Suite struct DocumentsTests {
    /// The Markdown files of the project, by path from its root.
    private static func documents() throws -> [String: String] {
        let tops = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        var paths = tops
        for folder in ["docs", "registry", "models", "Benchmarks", "Tests", "Examples"] {
            let files = FileManager.default.enumerator(atPath: "\(Program.root)\(folder)")
            while let path = files?.nextObject() as? String {
                // Packages below Examples have build folders.
                if path.hasSuffix(".md"), !path.contains(".build/") {
                    paths.append("\(folder)/\(path)")
                }
            }
        }
        #expect(paths.count > 80)
        var documents: [String: String] = [:]
        for path in paths {
            documents[path] = try String(
                contentsOf: URL(filePath: "\(Program.root)\(path)"),
                encoding: .utf8
            )
        }
        return documents
    }

    private static func exists(_ path: String, from document: String) -> Bool {
        let folder = URL(filePath: "\(Program.root)\(document)").deletingLastPathComponent()
        return FileManager.default.fileExists(
            atPath: folder.appending(path: path).standardized.path()
        )
    }

    @Test func everyRelativeLinkLeadsToAFile() throws {
        var count = 0
        for (document, text) in try Self.documents() {
            for match in text.matches(of: /\]\(([^)\s#]+)(#[^)\s]*)?\)/) {
                let target = String(match.output.1)
                if target.contains("://") || target.hasPrefix("mailto:") { continue }
                count += 1
                #expect(Self.exists(target, from: document), "\(document): \(target)")
            }
        }
        #expect(count >= 57)
    }

    @Test func everyPathOfTheTreeExists() throws {
        let pattern =
            /`((?:docs|scripts|registry|models|Sources|Tests|Benchmarks|Examples|packaging)\/[\w.\/+-]*)`/
        var count = 0
        for (document, text) in try Self.documents() where document != "CHANGELOG.md" {
            for match in text.matches(of: pattern) {
                count += 1
                let path = "\(Program.root)\(match.output.1)"
                #expect(FileManager.default.fileExists(atPath: path), "\(document): \(path)")
            }
        }
        #expect(count > 40)
    }

    @Test func everyCommandExists() async throws {
        var commands: [String: String] = [:]
        for (document, text) in try Self.documents() {
            for match in text.matches(of: /[`$] ?ami-zoo ((?:registry |cache )?[a-z]+)\b/) {
                commands[String(match.output.1)] = document
            }
        }
        #expect(commands.count > 10)
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            for (command, document) in commands {
                let run = try await ProgramRun(
                    Program.executable,
                    command.split(separator: " ").map(String.init) + ["--help"],
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(document): ami-zoo \(command)")
            }
        }
    }
}
