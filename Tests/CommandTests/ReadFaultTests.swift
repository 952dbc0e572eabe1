// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

/// Disks that fail while they are read, files that lose bytes meanwhile, and commands that are
/// interrupted in the middle of reading.
@Suite struct ReadFaultTests {
    private func run(
        _ zoo: Program,
        _ faults: [String: String],
        _ arguments: [String]
    ) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            arguments + ["--json"],
            environment: zoo.environment.merging(faults) { $1 }
        )
    }

    @Test func aReadErrorIsNeverTakenForZeros() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let release = folder.path(of: "release")
            let out = folder.path(of: "out")
            let converted = try await run(
                zoo,
                [:],
                ["convert"] + Conversions.vjepa2 + ["--to", release]
            )
            try #require(converted.status == 0, "\(converted.errors)")
            let size = try folder.read("release/model.safetensors").count
            // The last byte of the weights, and the middle of the lab's file.
            let weights = faults.environment(
                "/model.safetensors",
                ["ERRNO": "\(EIO)", "AFTER": "\(size - 1)"]
            )
            let upstream = faults.environment(
                "/upstream.pt",
                ["ERRNO": "\(EIO)", "AFTER": "100000"]
            )
            for (fault, arguments) in [
                (weights, ["inspect", release]),
                (weights, ["export", release, "--to", out]),
                (weights, ["pack", release, "--output", out]),
                (weights, ["verify", release, "--against", Conversions.file]),
                (upstream, ["inspect", Conversions.file]),
                (upstream, ["convert"] + Conversions.vjepa2 + ["--to", out]),
                (upstream, ["verify", release, "--against", Conversions.file]),
            ] {
                let run = try await run(zoo, fault, arguments)
                #expect(run.status == 74, "\(arguments): \(run.output)\(run.errors)")
                #expect(run.errorCode == "io.failed", "\(arguments): \(run.output)")
                #expect(!FileManager.default.fileExists(atPath: "\(out)/index/lab"))
                try? FileManager.default.removeItem(atPath: out)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(names) == ["faults.so", "release"])
        }
    }

    @Test func aFolderThatCannotBeListedToItsEndIsNotPacked() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let fault = faults.environment("/source", ["ERRNO": "\(EIO)", "NAMES": "2"])
            let run = try await run(
                zoo,
                fault,
                ["pack", model.source, "--output", folder.path(of: "other")]
            )
            #expect(run.status == 74, "\(run.output)\(run.errors)")
            #expect(run.errorCode == "io.failed")
        }
    }

    @Test func aFileThatLosesBytesWhileItIsReadIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let path = folder.path(of: "large.safetensors")
            try SafetensorsWriter.write(["a": Tensor(zeros: [4 << 20])], to: path)
            let mark = folder.path(of: "mark")
            // The first read only detects the kind of the file.
            let fault = faults.environment(
                "/large.safetensors",
                ["DELAY": "100", "MARK": mark, "MARK_AFTER": "1"]
            )
            let output = folder.path(of: "output")
            let process = try ChildProcess(
                Program.executable,
                ["inspect", path, "--json"],
                environment: zoo.environment.merging(fault) { $1 },
                output: output
            )
            while !FileManager.default.fileExists(atPath: mark) {
                try #require(process.isRunning)
                try await Task.sleep(for: .milliseconds(5))
            }
            try FileHandle(forUpdating: URL(filePath: path)).truncate(atOffset: 9 << 20)
            #expect(await process.status() == 74)
            #expect(
                String(decoding: try folder.read("output"), as: UTF8.self).contains("io.truncated")
            )
        }
    }

    // MARK: Interruption

    /// Interrupts a command once it reads a file whose reads are slow, and expects it to end at once.
    private func interrupt(
        _ arguments: [String],
        reading path: String,
        _ zoo: Program,
        _ faults: Faults,
        in folder: TemporaryFolder
    ) async throws {
        let mark = folder.path(of: "mark")
        try? FileManager.default.removeItem(atPath: mark)
        let fault = faults.environment(path, ["DELAY": "50", "MARK": mark])
        let process = try ChildProcess(
            Program.executable,
            arguments,
            environment: zoo.environment.merging(fault) { $1 },
            errors: folder.path(of: "errors")
        )
        while !FileManager.default.fileExists(atPath: mark) {
            try #require(process.isRunning, "\(arguments)")
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(process.isRunning, "\(arguments) ends before it is interrupted")
        let start = ContinuousClock.now
        process.signal(SIGINT)
        #expect(await process.status() == 130, "\(arguments)")
        #expect(ContinuousClock.now - start < .seconds(1), "\(arguments)")
        let errors = String(decoding: try folder.read("errors"), as: UTF8.self)
        #expect(errors.contains("interrupted"), "\(arguments): \(errors)")
    }

    @Test func commandsThatReadWeightsEndWhenTheyAreInterrupted() async throws {
        try await TemporaryFolder.with { folder in
            let (zoo, faults) = (Program(in: folder), try await Faults(in: folder))
            let model = try await PackedModel(tensors: 64, with: zoo, in: folder)
            let weights = "/source/model.safetensors"
            let (out, release) = (folder.path(of: "out"), folder.path(of: "release"))
            let converted = try await run(
                zoo,
                [:],
                ["convert"] + Conversions.vjepa2 + ["--to", release]
            )
            try #require(converted.status == 0, "\(converted.errors)")
            let archive = try model.largestBlob()
            let blob = String(archive.dropFirst(model.registry.count))
            for (arguments, path) in [
                (["inspect", model.source], weights),
                (["pack", model.source, "--output", out], weights),
                (["registry", "check", model.registry], blob),
                (["convert"] + Conversions.vjepa2 + ["--to", out], "/upstream.pt"),
                (["verify", release, "--against", Conversions.file], "/upstream.pt"),
                (["export", release, "--to", out], "/release/model.safetensors"),
            ] {
                try await interrupt(arguments, reading: path, zoo, faults, in: folder)
                #expect(!FileManager.default.fileExists(atPath: "\(out)/config.json"))
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(!names.contains { $0.hasPrefix(".") }, "\(arguments): \(names)")
                try? FileManager.default.removeItem(atPath: out)
            }
        }
    }
}

/// Pages of a mapped file that the kernel cannot deliver: holes of a file on a disk that is full.
@Suite(
    .enabled("this machine lets nobody mount a file system of their own") {
        try await ProgramRun("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status == 0
    }
)
struct PageFaultTests {
    @Test func weightsThatCannotBeLoadedAreNotComputedWith() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let pull = try await zoo("pull", "ami/ball-drop", "--to", folder.path(of: "model"))
            try #require(pull.status == 0, "\(pull.errors)")
            try folder.write([], to: "disk/mount-point")
            // The header of the weights, and a hole where the elements were: they read as zeros while
            // there is room for a page, and as nothing when there is none.
            let script = """
                mount -t tmpfs -o size=64m none "$disk" || exit 99
                cp -r "$model" "$disk/model"
                cd "$disk/model" && size=$(stat -c %s model.safetensors)
                head=$(od -An -tu8 -N8 model.safetensors)
                head -c $((head + 8)) model.safetensors >start && rm -f model.safetensors
                mv start model.safetensors && truncate -s "$size" model.safetensors
                head -c 100m /dev/zero >"$disk/filler" 2>/dev/null
                "$zoo" embed . "$clip" --output "$out" --json; echo "status $?"
                """
            let run = try await ProgramRun(
                "unshare",
                ["-rm", "sh", "-c", script],
                environment: zoo.environment.merging([
                    "zoo": Program.executable, "disk": folder.path(of: "disk"),
                    "model": folder.path(of: "model"), "clip": Program.clip,
                    "out": folder.path(of: "out.safetensors"),
                ]) { $1 }
            )
            #expect(run.output.contains("io.failed"), "\(run.output)\(run.errors)")
            #expect(run.output.hasSuffix("status 74\n"), "\(run.output)\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "out.safetensors")))
        }
    }
}
