// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooTensor
import ZooTesting

/// Remedies of errors: each is followed after the command has failed, and must work.
@Suite struct RemedyTests {
    /// A command that fails, the remedy that it prints, and the commands that follow the remedy.
    ///
    /// `@` at the start of an argument stands for the test's folder.
    struct Remedy: Sendable, CustomTestStringConvertible {
        let code: String
        let failing: [String]
        let text: String
        let steps: [[String]]
        var testDescription: String { code }
    }

    private static let media = "\(Program.root)Tests/Vectors/media"
    private static let tilted = "\(media)/turned-videos/45-degrees.mov"
    private static let video = "\(media)/videos/h264.mp4"
    private static let convert =
        ["convert", Conversions.file, "--to", "@model"] + Array(Conversions.options)
    private static let pull = ["pull", "ami/ball-drop"]

    static let remedies = [
        Remedy(
            code: "convert.option-needed",
            failing: ["convert", Conversions.file, "--to", "@other"],
            text: "pass it with --heads",
            steps: [["convert", Conversions.file, "--to", "@other"] + Conversions.options]
        ),
        Remedy(
            code: "convert.family-unknown",
            failing: ["convert", Program.clip, "--to", "@other"],
            text: "list the tensors with 'ami-zoo inspect'",
            steps: [["inspect", Program.clip]]
        ),
        Remedy(
            code: "registry.not-a-registry",
            failing: ["registry", "check", "@registry"],
            text: "ami-zoo registry init",
            steps: [["registry", "init", "@registry"], ["registry", "check", "@registry"]]
        ),
        Remedy(
            code: "registry.exists",
            failing: ["registry", "init", "@model"],
            text: "choose an empty folder",
            steps: [["registry", "init", "@empty"]]
        ),
        Remedy(
            code: "store.not-installed",
            failing: ["verify", "ami/ball-drop"],
            text: "run 'ami-zoo pull ami/ball-drop:stable'",
            steps: [["pull", "ami/ball-drop:stable"], ["verify", "ami/ball-drop"]]
        ),
        Remedy(
            code: "registry.offline",
            failing: pull + ["--offline", "--registry", "http://127.0.0.1:9"],
            text: "pull it once without --offline",
            steps: [pull, pull + ["--offline", "--registry", "http://127.0.0.1:9"]]
        ),
        Remedy(
            code: "registry.version-not-found",
            failing: ["pull", "ami/ball-drop:9.9.9"],
            text: "choose from 1.0.0, 1.1.0",
            steps: [["versions", "ami/ball-drop"], ["pull", "ami/ball-drop:1.1.0"]]
        ),
        Remedy(
            code: "store.destination-taken",
            failing: pull + ["--to", "@model"],
            text: "choose another folder",
            steps: [pull + ["--to", "@empty"]]
        ),
        Remedy(
            code: "media.unsupported",
            failing: ["embed", "@model", tilted, "--output", "@f.npy"],
            text: "--orientation stored",
            steps: [["embed", "@model", tilted, "--output", "@f.npy", "--orientation", "stored"]]
        ),
        Remedy(
            code: "model.read-out-missing",
            failing: ["predict", "@model", video, "--read-out", "trajectory"],
            text: "use a model with this file, such as ami/ball-drop",
            steps: [pull, ["predict", "ami/ball-drop", Program.clip, "--read-out", "trajectory"]]
        ),
        Remedy(
            code: "model.surprise-protocol-invalid",
            failing: ["surprise", "@model", video, "--window", "4000"],
            text: "choose a window no longer than the video",
            steps: [["surprise", "@model", video, "--window", "4", "--context-frames", "2"]]
        ),
        Remedy(
            code: "model.result-not-finite",
            failing: ["embed", "@model", "@clip.safetensors", "--output", "@f.npy"],
            text: "run 'ami-zoo verify' on the model, and check the units of the input",
            steps: [["verify", "@model"], ["embed", "@model", video, "--output", "@f.npy"]]
        ),
    ]

    @Test(arguments: remedies)
    func aRemedyWorks(remedy: Remedy) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            func run(_ arguments: [String]) async throws -> ProgramRun {
                let arguments = arguments.map { argument in
                    argument.hasPrefix("@")
                        ? folder.path(of: String(argument.dropFirst())) : argument
                }
                return try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
            }
            try #require(try await run(Self.convert).status == 0)
            var pixels = [Float](repeating: 0.5, count: 3072)
            pixels[0] = .nan
            try SafetensorsWriter.write(
                ["pixel_values": StoredTensor(Tensor(shape: [1, 4, 3, 16, 16], values: pixels))],
                to: folder.path(of: "clip.safetensors")
            )
            let failure = try await run(remedy.failing)
            #expect(failure.status != 0)
            #expect(failure.errors.contains("[\(remedy.code)]"), "\(failure.errors)")
            #expect(failure.errors.contains(remedy.text), "\(failure.errors)")
            for step in remedy.steps {
                let run = try await run(step)
                #expect(run.status == 0, "\(step): \(run.errors)")
            }
        }
    }

    /// A file of `Tests/Vectors/torch`.
    private struct Sample: Decodable {
        let bytes: Data
        let refusal: String?
    }

    /// The remedy for files that hold more than weights is to save a state dict.
    @Test(arguments: [
        ("pickle-limit", "torch.save(model.state_dict()"),
        ("pickle-opcode", "torch.save(model.state_dict()"),
        ("pickle-global", "torch.save(model.state_dict()"),
        ("torchscript", "torch.save(model.state_dict()"),
        ("zip-compressed", "torch.save"), ("torch-tar", "torch.save"),
    ])
    func aStateDictIsReadInPlaceOfARefusedFile(refusal: String, text: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let samples = try JSONDecoder().decode(
                [Sample].self,
                from: Data(
                    contentsOf: URL(filePath: "\(Program.root)Tests/Vectors/torch/hostile.json")
                )
            )
            let sample = try #require(samples.first { $0.refusal == refusal })
            try folder.write(Array(sample.bytes), to: "file.pt")
            let failure = try await zoo("inspect", folder.path(of: "file.pt"))
            #expect(failure.status == 65)
            #expect(failure.errors.contains("[checkpoint.\(refusal)]"), "\(failure.errors)")
            #expect(failure.errors.contains(text), "\(failure.errors)")
            #expect(try await zoo("inspect", Conversions.file).status == 0)
        }
    }

    /// With more file descriptors, a server accepts the connections that overloaded it.
    @Test func anOverloadedServerNeedsMoreFileDescriptors() async throws {
        let script = """
            (ulimit -n "$1"; exec "$0" serve --root "$2" --listen 127.0.0.1:0 >"$3/address") &
            server=$!
            trap 'kill $server' EXIT
            for _ in $(seq 200); do [ -s "$3/address" ] && break; sleep 0.05; done
            url=$(sed -n 's|^serving at http://||p' "$3/address")
            for _ in $(seq 30); do
                exec {connection}<>"/dev/tcp/${url%:*}/${url#*:}"
                printf 'GET /zoo.json HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&"$connection"
                IFS= read -r -t 5 status <&"$connection" || exit 0
                echo "$status"
            done
            """
        func answers(descriptors: Int) async throws -> [String] {
            try await TemporaryFolder.with { folder in
                let run = try await ProgramRun(
                    "/bin/bash",
                    [
                        "-c", script, Program.executable, "\(descriptors)", Program.embedded,
                        folder.path,
                    ],
                    environment: Program(in: folder).environment.merging(
                        ["PATH": "/usr/bin:/bin"]
                    ) { first, _ in first }
                )
                return run.output.split(whereSeparator: \.isNewline).map { line in
                    String(line.split(separator: " ").dropFirst().first ?? "")
                }
            }
        }
        let few = try await answers(descriptors: 24)
        #expect(few.contains("503") && !few.allSatisfy { $0 == "200" }, "\(few)")
        let enough = try await answers(descriptors: 256)
        #expect(enough == Array(repeating: "200", count: 30))
    }

    // MARK: Remedies of verify

    /// What happens to a model; `$model` is its folder, `$receipt` its receipt in the store.
    private static let damages = [
        "printf x >> $model/config.json",
        "rm $model/config.json",
        "mv $model/config.json $other && ln -s $other $model/config.json",
        "rm $model/config.json && mkdir $model/config.json",
        "printf x | dd of=$model/model.safetensors bs=1 seek=100000 conv=notrunc",
        "touch $model/other.txt",
        "rm $documents/record.json",
        "printf '{}' > $documents/record.json",
        "sed -i s/1.1.0/1.1.1/ $documents/record.json",
        "rm $documents/manifest.json",
        "printf '{}' > $documents/manifest.json",
        "sed -i 's/sha256:./sha256:x/' $documents/manifest.json",
        "rm $documents/install.json",
        "printf '{}' > $documents/install.json",
        "sed -i 's/install.1/install\\/9/' $documents/install.json",
        "rm -r $documents/blocks",
        "rm $documents/blocks/weights.json && printf x > $documents/blocks/weights.json",
        "mv $documents $other && ln -s $other $documents",
        "mv $documents $other && ln -s $other $documents && printf x >> $model/config.json",
        "mv $documents/blocks $other && ln -s $other $documents/blocks",
        "mv $model/read_outs $other && ln -s $other $model/read_outs",
    ]
    private static let inStore = [
        "rm -r $documents",
        "rm $receipt",
        "printf x > $receipt",
        "sed -i 's/^{/{\"components\":[\"encoder\"],/' $documents/install.json",
    ]

    /// Does what the remedies of the findings say until there is none, and returns the status of the last
    /// verification.
    private static let follow = #"""
        for round in 1 2 3 4; do
            "$zoo" verify "$model" --json >"$result"; status=$?
            python3 - "$result" "$zoo" >"$result.sh" <<'EOF' || exit $status
        import json, re, shlex, sys
        findings = json.load(open(sys.argv[1]))["findings"]
        if not findings:
            sys.exit(1)
        commands = []
        for finding in findings:
            remedy, path = finding["remedy"], finding["path"]
            if remedy == "fix the other findings, then verify again":
                continue
            if remedy == "remove it or move it to another folder":
                print('rm -r "$model"/' + shlex.quote(path))
                continue
            moved = re.match(r"move '(.*)' away, then run ", remedy)
            if moved:
                print('mv', shlex.quote(moved[1]), '"$other.moved"')
                remedy = remedy[moved.end():]
            command = re.fullmatch(r"ami-zoo (repair .*?)( \(URL: .*\))?( restores it)?", remedy)
            if not command:
                print("echo", shlex.quote("no command: " + remedy))
                continue
            commands.append(command[1].replace("--registry URL", '--registry "$registry"'))
        for command in sorted(set(commands)):
            print('"$zoo"', command)
        EOF
            sh -e "$result.sh" 2>&1 || exit 99
        done
        exit 98
        """#

    @Test(arguments: [false, true])
    func theRemediesOfVerifyRepairTheModel(isInStore: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let empty = folder.path(of: "empty")
            // Not the registry that the model is pulled from, and no other than a remedy names works.
            try #require(try await zoo("registry", "init", empty).status == 0)
            let sound = folder.path(of: "a model")
            let pull = try await ProgramRun(
                Program.executable,
                ["pull", "ami/ball-drop", "--registry", Program.embedded, "--json"]
                    + (isInStore ? [] : ["--to", sound]),
                environment: zoo.environment
            )
            let path = try pull.text("path")
            for damage in Self.damages + (isInStore ? Self.inStore : []) {
                let script = """
                    cd "$folder"; rm -rf kept other*
                    cp -r "$path" kept; [ -e "$receipt" ] && cp "$receipt" receipt.kept
                    chmod -R u+w "$path"
                    (IFS=; \(damage)) 2>/dev/null || exit 97
                    (\(Self.follow))
                    status=$?
                    diff -r kept "$path" || status=96
                    \(damage.contains("$other") ? "[ -e other ] || status=95" : "")
                    exit $status
                    """
                let name = path.split(separator: "/").last ?? ""
                let run = try await ProgramRun(
                    "sh",
                    ["-c", script],
                    environment: zoo.environment.merging([
                        "zoo": Program.executable, "folder": folder.path, "path": path,
                        "model": path, "documents": "\(path)/.ami-zoo",
                        "receipt": "\(zoo.store)/receipts/ami/ball-drop/\(name).json",
                        "other": folder.path(of: "other"), "result": folder.path(of: "result"),
                        "registry": Program.embedded, "AMI_ZOO_REGISTRY": empty,
                    ]) { $1 }
                )
                #expect(run.status == 0, "\(damage): \(run.output)\(run.errors)")
                #expect(!run.output.contains("nothing to repair"), "\(damage): \(run.output)")
            }
        }
    }

    /// Outside the store only `install.json` states the registry.
    @Test func theRegistryThatNoDocumentStatesIsAskedFor() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let (model, empty) = (folder.path(of: "model"), folder.path(of: "empty"))
            _ = try await zoo("pull", "ami/ball-drop", "--to", model)
            _ = try await zoo("registry", "init", empty)
            try FileManager.default.removeItem(atPath: "\(model)/.ami-zoo/install.json")
            let remedy = "ami-zoo repair \(model) --registry URL (URL: the registry that the model"
            let verify = try await zoo("verify", model)
            #expect(verify.status == 1)
            #expect(verify.output.contains(remedy), "\(verify.output)")
            let wrong = try await zoo("repair", model, "--registry", empty)
            #expect(wrong.status == 66, "\(wrong.errors)")
            #expect(wrong.errors.contains(remedy), "\(wrong.errors)")
            #expect(try await zoo("repair", model, "--registry", Program.embedded).status == 0)
            #expect(try await zoo("verify", model).status == 0)
        }
    }

    /// No command brings back the files of a folder without a manifest, so none of them may be lost.
    @Test func aLinkInAConvertedFolderIsReplacedByItsFiles() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = folder.path(of: "model")
            _ = try await zoo("pull", "ami/ball-drop", "--to", model)
            let files = FileManager.default
            try files.moveItem(
                atPath: "\(model)/.ami-zoo/record.json",
                toPath: "\(model)/release.json"
            )
            try files.removeItem(atPath: "\(model)/.ami-zoo")
            #expect(try await zoo("verify", model).status == 0)
            let (place, other) = ("\(model)/read_outs", folder.path(of: "other"))
            try files.moveItem(atPath: place, toPath: other)
            try files.createSymbolicLink(atPath: place, withDestinationPath: other)
            let verify = try await zoo("verify", model)
            #expect(verify.status == 1)
            #expect(
                verify.output.contains("replace it by a folder with the files that it leads to")
            )
            #expect(!verify.output.contains("remove it"), "\(verify.output)")
            try files.removeItem(atPath: place)
            try files.copyItem(atPath: other, toPath: place)
            #expect(try await zoo("verify", model).status == 0)
        }
    }

    @Test func documentsThatNameNoReleaseAreReplacedByAnotherPull() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = folder.path(of: "model")
            _ = try await zoo("pull", "ami/ball-drop", "--to", model)
            for name in ["manifest.json", "record.json"] {
                try folder.write([0x7B], to: "model/.ami-zoo/\(name)")
            }
            let verify = try await zoo("verify", model)
            #expect(verify.status == 1)
            #expect(verify.output.contains("into another folder"), "\(verify.output)")
            let other = folder.path(of: "other")
            #expect(try await zoo("pull", "ami/ball-drop", "--to", other).status == 0)
            #expect(try await zoo("verify", other).status == 0)
        }
    }
}
