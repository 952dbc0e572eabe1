// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `scripts/install` and `scripts/uninstall`, with the program of this build.
@Suite struct InstallTests {
    /// An installation below a prefix of its own.
    struct Installation {
        let folder: TemporaryFolder
        let prefix: String

        init(in folder: TemporaryFolder, prefix: String = "deep/prefix") {
            self.folder = folder
            self.prefix = folder.path(of: prefix)
        }

        func install() async throws -> ProgramRun {
            try await run("install", ["--program", Program.executable])
        }

        func uninstall() async throws -> ProgramRun { try await run("uninstall", []) }

        private func run(_ script: String, _ arguments: [String]) async throws -> ProgramRun {
            try await ProgramRun(
                "\(Program.root)scripts/\(script)",
                ["--prefix", prefix] + arguments,
                environment: ["DESTDIR": "", "TMPDIR": folder.path(of: "")]
            )
        }

        /// The paths below the prefix of all that is not a folder.
        var files: [String] {
            get throws {
                try (FileManager.default.subpathsOfDirectory(atPath: prefix)).filter { path in
                    var isFolder: ObjCBool = false
                    let full = "\(prefix)/\(path)"
                    _ = unsafe FileManager.default.fileExists(
                        atPath: full,
                        isDirectory: &isFolder
                    )
                    return !isFolder.boolValue
                }.sorted()
            }
        }

        /// The status of sha256sum over the manifest.
        func digestStatus() async throws -> Int32 {
            try await ProgramRun(
                "env",
                [
                    "-C", prefix, "sha256sum", "--check", "--strict",
                    "share/ami-zoo/install-manifest",
                ]
            ).status
        }
    }

    /// What a program finds that was not told of a registry or a store.
    private func environment(home: String) -> [String: String] {
        [
            "AMI_ZOO_HOME": "", "AMI_ZOO_REGISTRY": "", "XDG_CONFIG_HOME": "\(home)/config",
            "XDG_DATA_HOME": "\(home)/share", "HOME": home, "no_proxy": "*",
        ]
    }

    @Test func uninstallRemovesExactlyWhatInstallMade() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder)
            let first = try await installation.install()
            #expect(first.status == 0, "\(first.errors)")
            let files = try installation.files
            for path in [
                "bin/ami-zoo", "share/ami-zoo/registry/zoo.json", "share/man/man1/ami-zoo.1",
                "share/ami-zoo/catalogue/meta/vjepa2-vitl/model.yaml",
                "share/man/man1/ami-zoo-registry-init.1", "share/zsh/site-functions/_ami-zoo",
                "share/bash-completion/completions/ami-zoo",
                "share/fish/vendor_completions.d/ami-zoo.fish",
            ] { #expect(files.contains(path), "\(path)") }
            // Training data and recipes are not part of it.
            #expect(!files.contains { $0.contains("/clips/") || $0.hasSuffix(".py") })
            #expect(try await installation.digestStatus() == 0)

            // Again: the same files, and nothing besides.
            #expect(try await installation.install().status == 0)
            #expect(try installation.files == files)

            try folder.write([1], to: "deep/prefix/share/man/man1/other.1")
            let removal = try await installation.uninstall()
            #expect(removal.status == 0, "\(removal.errors)")
            #expect(try installation.files == ["share/man/man1/other.1"])
            let folders = try FileManager.default.subpathsOfDirectory(atPath: installation.prefix)
            #expect(
                Set(folders) == [
                    "share", "share/man", "share/man/man1", try #require(installation.files.first),
                ]
            )

            // With nothing of anybody else's, the folders above the prefix go too.
            try FileManager.default.removeItem(atPath: folder.path(of: "deep"))
            #expect(try await installation.install().status == 0)
            #expect(try await installation.uninstall().status == 0)
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "deep")))
            #expect(try await installation.uninstall().status == 66)
        }
    }

    @Test func filesOfOthersAreNeitherOverwrittenNorRemoved() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder)
            try folder.write([1], to: "deep/prefix/bin/ami-zoo")
            let refused = try await installation.install()
            #expect(refused.status == 1)
            #expect(refused.errors.contains("'\(installation.prefix)/bin/ami-zoo'"))
            #expect(try installation.files == ["bin/ami-zoo"])

            try FileManager.default.removeItem(atPath: folder.path(of: "deep/prefix/bin/ami-zoo"))
            #expect(try await installation.install().status == 0)
            let page = "share/man/man1/ami-zoo.1"
            try folder.write([1], to: "deep/prefix/\(page)")
            let removal = try await installation.uninstall()
            #expect(removal.status == 0)
            #expect(removal.errors.contains("kept '\(installation.prefix)/\(page)'"))
            #expect(try installation.files == [page])
        }
    }

    @Test func aManifestDoesNotReachOutsideThePrefix() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder)
            try folder.write([1], to: "deep/mine")
            let digest = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"
            try folder.write(
                Array("\(digest)  ../mine\n".utf8),
                to: "deep/prefix/share/ami-zoo/install-manifest"
            )
            #expect(try await installation.uninstall().status == 65)
            #expect(try folder.read("deep/mine") == [1])
        }
    }

    @Test func anInstallationThatWasKilledCanBeRemoved() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder)
            #expect(try await installation.install().status == 0)
            // As SIGKILL leaves it: some files under their names, some under that of their copies.
            let page = "\(installation.prefix)/share/man/man1/ami-zoo-pull.1"
            try FileManager.default.moveItem(atPath: page, toPath: "\(page).ami-zoo-installing")
            try FileManager.default.removeItem(atPath: "\(installation.prefix)/bin/ami-zoo")
            #expect(try await installation.uninstall().status == 0)
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "deep")))
        }
    }

    @Test func theProgramFindsWhatShipsWithItFromAnyFolder() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder)
            #expect(try await installation.install().status == 0)
            // Moved, and called through two symbolic links from another folder.
            let moved = folder.path(of: "moved")
            try FileManager.default.moveItem(atPath: installation.prefix, toPath: moved)
            let link = folder.path(of: "link")
            try FileManager.default.createSymbolicLink(
                atPath: "\(link)-to",
                withDestinationPath: "moved/bin/ami-zoo"
            )
            try FileManager.default.createSymbolicLink(
                atPath: link,
                withDestinationPath: "\(link)-to"
            )
            let variables = environment(home: folder.path(of: "home"))
            for program in [link, "\(moved)/bin/ami-zoo"] {
                let list = try await ProgramRun(
                    "env",
                    ["-C", "/", program, "list", "--json"],
                    environment: variables
                )
                #expect(list.status == 0, "\(list.errors)")
                #expect(try list.text("registry") == "file:\(moved)/share/ami-zoo/registry")
            }
            let missing = try await ProgramRun(
                link,
                ["import", "meta/vjepa2-vitll"],
                environment: variables
            )
            #expect(missing.errors.contains("'\(moved)/share/ami-zoo/catalogue/README.md'"))
        }
    }

    @Test func aProgramAloneTakesNoRegistryOfAFolderAbove() async throws {
        try await TemporaryFolder.with { folder in
            let program = folder.path(of: "a/b/ami-zoo")
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "a/b"),
                withIntermediateDirectories: true
            )
            try FileManager.default.copyItem(atPath: Program.executable, toPath: program)
            for decoy in ["registry/embedded", "share/ami-zoo/registry", "a/b/registry/embedded"] {
                try FileManager.default.createDirectory(
                    atPath: folder.path(of: decoy),
                    withIntermediateDirectories: true
                )
                try folder.write(Array("{}".utf8), to: "\(decoy)/zoo.json")
            }
            let run = try await ProgramRun(
                program,
                ["list", "--json"],
                environment: environment(home: folder.path(of: "home"))
            )
            #expect(run.status == 64)
            #expect(run.errorCode == "registry.address-invalid")
        }
    }

    /// `~/.local/share/ami-zoo` is both the local store and what the default prefix of a user holds.
    @Test func theStoreMayLieInTheSameFolder() async throws {
        try await TemporaryFolder.with { folder in
            let installation = Installation(in: folder, prefix: "home")
            #expect(try await installation.install().status == 0)
            let variables = environment(home: installation.prefix)
            let program = "\(installation.prefix)/bin/ami-zoo"
            let before = try await ProgramRun(program, ["cache", "ls"], environment: variables)
            #expect(
                before.output == "nothing is installed in \(installation.prefix)/share/ami-zoo\n"
            )
            let arguments = [["pull", "ami/ball-drop"], ["verify", "ami/ball-drop"], ["list"]]
            for arguments in arguments {
                let run = try await ProgramRun(program, arguments, environment: variables)
                #expect(run.status == 0, "\(run.errors)")
            }
            #expect(try await installation.uninstall().status == 0)
            let left = try installation.files
            #expect(left.contains("share/ami-zoo/store.json"))
            #expect(left.allSatisfy { $0.hasPrefix("share/ami-zoo/") })
            #expect(!left.contains { $0.contains("registry/") || $0.contains("catalogue/") })
            let zoo = Program(in: folder, store: "home/share/ami-zoo")
            #expect(try await zoo("verify", "ami/ball-drop").status == 0)
        }
    }

    @Test func manualPagesSatisfyMandoc() async throws {
        try await TemporaryFolder.with { folder in
            let run = try await ProgramRun(
                Program.executable,
                ["manual", folder.path(of: "man1"), "--date", "2026-01-31"]
            )
            #expect(run.status == 0, "\(run.errors)")
            let pages = run.output.split(separator: "\n").map { folder.path(of: "man1/\($0)") }
            #expect(pages.count >= 25)
            let lint = try await ProgramRun("mandoc", ["-Tlint"] + pages)
            #expect(lint.status == 0 && lint.output.isEmpty, "\(lint.output)")
            let text = try await ProgramRun("mandoc", ["-Tascii", pages[0]]).output
                .replacing(/.\u{8}/, with: "")
            #expect(text.contains("ami-zoo - A model zoo"))
            #expect(text.contains("January 31, 2026") || text.contains("2026-01-31"))
            for wanted in ["Get models", "ami-zoo-pull(1)", "EXIT STATUS", "AMI_ZOO_HOME"] {
                #expect(text.contains(wanted), "\(wanted)")
            }
            let pull = try await ProgramRun("mandoc", ["-Tascii", pages[1]]).output
                .replacing(/.\u{8}/, with: "")
            for wanted in ["--registry", "--to", "--only", "--offline", "--json"] {
                #expect(pull.contains("     \(wanted)"), "\(wanted)")
            }
            let wrong = try await ProgramRun(
                Program.executable,
                ["manual", folder.path(of: "other"), "--date", "tomorrow"]
            )
            #expect(wrong.status == 64)
        }
    }

    @Test func bashCompletesCommandsAndOptions() async throws {
        try await TemporaryFolder.with { folder in
            let script = try await ProgramRun(
                Program.executable,
                ["--generate-completion-script", "bash"]
            ).output
            try folder.write(Array(script.utf8), to: "completion")
            for (words, wanted) in [
                (["ami-zoo", "pu"], "pull"), (["ami-zoo", "registry", "in"], "index"),
                (["ami-zoo", "pull", "--off"], "--offline"),
            ] {
                let line = words.joined(separator: " ")
                let run = try await ProgramRun(
                    "bash",
                    [
                        "-c",
                        """
                        . '\(folder.path(of: "completion"))'
                        COMP_WORDS=(\(line)) COMP_CWORD=\(words.count - 1)
                        COMP_LINE='\(line)' COMP_POINT=\(line.count)
                        _ami-zoo ami-zoo '\(words.last ?? "")' ''
                        printf '%s\\n' "${COMPREPLY[@]}"
                        """,
                    ]
                )
                let found = run.output.split(separator: "\n").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                #expect(found.contains(wanted), "\(line): \(run.output)\(run.errors)")
            }
        }
    }
}
