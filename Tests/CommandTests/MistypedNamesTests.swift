// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting

/// What the program says about names that do not exist.
@Suite struct MistypedNamesTests {
    /// A command line with a wrong command, and what is said about it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let message: String
        let remedy: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let mistakes = [
        Mistake(
            arguments: ["pul", "ami/ball-drop"],
            message: "unknown command 'pul'; did you mean 'pull'?",
            remedy: "run 'ami-zoo --help' to list the commands"
        ),
        Mistake(
            arguments: ["registry", "indx", "folder"],
            message: "unknown command 'registry indx'; did you mean 'index'?",
            remedy: "run 'ami-zoo registry --help' to list the commands"
        ),
        Mistake(
            arguments: ["help", "verfiy"],
            message: "unknown command 'verfiy'; did you mean 'verify'?",
            remedy: "run 'ami-zoo --help' to list the commands"
        ),
        Mistake(
            arguments: ["xyzzy"],
            message: "unknown command 'xyzzy'",
            remedy: "run 'ami-zoo --help' to list the commands"
        ),
        // A command that people do not call is not offered.
        Mistake(
            arguments: ["manua"],
            message: "unknown command 'manua'",
            remedy: "run 'ami-zoo --help' to list the commands"
        ),
    ]

    @Test(arguments: mistakes)
    func anUnknownCommandIsNamedWithTheNearest(mistake: Mistake) async throws {
        let run = try await ProgramRun(Program.executable, mistake.arguments)
        #expect(run.status == 64)
        #expect(run.output == "")
        #expect(
            run.errors == """
                ami-zoo: error: \(mistake.message) [command.unknown]
                ami-zoo:   remedy: \(mistake.remedy)

                """
        )
        let document = try await ProgramRun(Program.executable, mistake.arguments + ["--json"])
        #expect(document.status == 64)
        #expect(document.errorCode == "command.unknown")
    }

    @Test func anUnknownOptionIsNamedWithTheNearest() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("pull", "ami/ball-drop", "--registy", "x")
            #expect(run.status == 64)
            #expect(run.errors.contains("'--registy'. Did you mean '--registry'?"))
        }
    }

    @Test func helpAndVersionAreNoMistakes() async throws {
        let version = try await ProgramRun(Program.executable, ["--version"])
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
        for arguments in [[], ["help"], ["help", "pull"], ["registry"], ["registry", "--help"]] {
            let run = try await ProgramRun(Program.executable, arguments)
            #expect(run.status == 0, "\(arguments)")
            #expect(run.output.contains("USAGE: ami-zoo"), "\(arguments)")
        }
    }

    @Test func theProgramListsItsCommandsInGroups() async throws {
        let help = try await ProgramRun(Program.executable, ["--help"]).output
        for group in ["GET MODELS", "RUN MODELS", "MAKE AND PUBLISH", "OPERATE REGISTRIES"] {
            #expect(help.contains("\n\(group) SUBCOMMANDS:\n"), "\(group)")
        }
        #expect(!help.contains("  manual "))
    }

    @Test(arguments: ["pull", "show", "versions"])
    func aModelThatTheRegistryLacksBringsTheNearest(command: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            for name in ["ami/bal-drop", "ami/blal-drop:1.0.0", "somebody/ball-drop"] {
                let run = try await zoo(command, name, "--json")
                #expect(run.status == 66)
                #expect(run.errorCode == "registry.model-not-found")
                #expect(try run.remedy.hasPrefix("did you mean 'ami/ball-drop'? "), "\(name)")
            }
            let far = try await zoo(command, "ami/nothing", "--json")
            #expect(
                try far.remedy
                    == "'ami-zoo list --registry file:\(Program.embedded)' lists what it has"
            )
            // The remedy works.
            let list = try await zoo("list", "--registry", "file:\(Program.embedded)")
            #expect(list.output.contains("ami/ball-drop"))
        }
    }

    @Test(arguments: ["pull", "show", "versions"])
    func aModelThatOnlyTheCatalogueHasIsToBeImported(command: String) async throws {
        try await TemporaryFolder.with { folder in
            let run = try await Program(in: folder)(command, "meta/vjepa2-vitl", "--json")
            #expect(run.status == 66)
            #expect(run.errorCode == "registry.model-not-found")
            #expect(try run.remedy.contains("'ami-zoo import meta/vjepa2-vitl'"))
        }
    }

    @Test func aModelThatIsNotInstalledBringsTheNearest() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let before = try await zoo("verify", "ami/bal-drop", "--json")
            #expect(try before.remedy == "run 'ami-zoo pull ami/bal-drop:stable'")
            #expect(try await zoo("pull", "ami/ball-drop").status == 0)
            for arguments in [["verify"], ["embed", Program.clip, "--output", "x.npy"]] {
                let run = try await ProgramRun(
                    Program.executable,
                    [arguments[0], "ami/bal-drop"] + arguments.dropFirst() + ["--json"],
                    environment: zoo.environment
                )
                #expect(run.status == 66)
                #expect(run.errorCode == "store.not-installed")
                #expect(try run.remedy.hasPrefix("did you mean 'ami/ball-drop'? "))
            }
            let version = try await zoo("verify", "ami/ball-drop:9.9.9", "--json")
            #expect(try version.remedy.hasPrefix("installed: 'ami/ball-drop:1.1.0'; "))
        }
    }

    @Test func aModelThatTheCatalogueLacksBringsTheNearest() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("import", "meta/vjepa2-vitll", "--json")
            #expect(run.status == 66)
            #expect(run.errorCode == "import.model-not-found")
            #expect(try run.remedy.hasPrefix("did you mean 'meta/vjepa2-vitl'"))
            let list = "\(Program.root)models/README.md"
            #expect(try run.remedy.hasSuffix("the models are listed in '\(list)'"))
        }
    }
}

extension ProgramRun {
    /// The remedy of the failure that the JSON document tells.
    fileprivate var remedy: String {
        get throws { try document.object("error").string("remedy", maximum: 4096) }
    }
}
