// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Disks that refuse, made by real file systems in a mount namespace of the test's own.
@Suite(
    .enabled("this machine lets nobody mount a file system of their own") {
        try await ProgramRun("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status == 0
    }
)
struct StoreFaultTests {
    /// Runs a shell script with the store on a file system of `size`; `$zoo` and `$store` are set.
    private func run(
        size: String,
        _ zoo: Program,
        variables: [String: String],
        _ script: String
    ) async throws -> ProgramRun {
        try FileManager.default.createDirectory(
            atPath: zoo.store,
            withIntermediateDirectories: true
        )
        let text = "mount -t tmpfs -o size=\(size) none \"$store\" || exit 99\n\(script)"
        return try await ProgramRun(
            "unshare",
            ["-rm", "sh", "-c", text],
            environment: zoo.environment.merging(variables) { $1 }
                .merging(["zoo": Program.executable, "store": zoo.store]) { $1 }
        )
    }

    @Test func aDiskThatIsTooSmallIsSaidSoBeforeAnythingIsFetched() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await run(
                size: "3m",
                zoo,
                variables: [:],
                """
                "$zoo" pull ami/ball-drop --json; echo "status $?"
                find "$store" -name '*.safetensors' -size +0
                """
            )
            #expect(run.output.contains("\"io.disk-full\""))
            #expect(run.output.hasSuffix("status 74\n"), "\(run.output)\(run.errors)")
        }
    }

    @Test func aDiskThatFillsUpStopsThePullAndLosesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 24, with: zoo, in: folder)
            let archive = try model.largestBlob()
            let path = String(archive.dropFirst(model.registry.count))
            let content = ServedContent(try folder.read("registry\(path)"))
            try await HostileServer.with { server in
                server.serve(folder: model.registry)
                // Slow enough for the script to fill the disk between two blocks.
                let slow = Behaviour.serving(content).dripping(64 << 10, every: .milliseconds(50))
                server.on(path, Array(repeating: slow, count: 8) + [.serving(content)])
                let run = try await run(
                    size: "64m",
                    zoo,
                    variables: ["url": server.url("")],
                    """
                    "$zoo" pull test/random --registry "$url" --json >"$store/first" &
                    until [ -s "$(echo "$store"/staging/*/blocks)" ]; do
                        kill -0 $! || exit; sleep 0.02
                    done
                    head -c 100m /dev/zero >"$store/filler" 2>/dev/null
                    wait $!; echo "first $?"
                    ls "$store/models" 2>/dev/null
                    rm "$store/filler"
                    "$zoo" pull test/random --registry "$url" >/dev/null; echo "second $?"
                    "$zoo" verify test/random --deep >/dev/null; echo "verify $?"
                    """
                )
                #expect(run.output == "first 74\nsecond 0\nverify 0\n", "\(run.errors)")
            }
        }
    }

    /// A disk that has place for the model, and none for its evidence.
    @Test func aDiskWithoutPlaceForAttachmentsGetsTheModel() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await run(
                size: "64m",
                zoo,
                variables: [
                    "url": "\(Program.root)registry/embedded", "notes": folder.path(of: "notes"),
                ],
                """
                "$zoo" pull ami/turbofan --registry "$url" >/dev/null || exit
                used=$(df --output=used -k "$store" | tail -n 1)
                umount "$store"
                for less in 4 8 12 16; do
                    mount -t tmpfs -o size=$((used - less))k none "$store" || exit 99
                    "$zoo" pull ami/turbofan --registry "$url" 2>>"$notes" >/dev/null; echo "pull $?"
                    "$zoo" verify ami/turbofan --deep | grep -E 'every byte|evidence: none'
                    umount "$store"
                done
                grep -c 'are left out' "$notes"
                """
            )
            let lines = run.output.split(separator: "\n")
            #expect(lines.count { $0 == "pull 0" } == 4, "\(run.output)\(run.errors)")
            #expect(lines.count { $0.contains("every byte is as released") } == 4)
            #expect(lines.count { $0 == "evidence: none: 31 claims, not measured again" } == 4)
            #expect(lines.last == "4")
        }
    }

    @Test func aReadOnlyStoreServesWhatItHasAndRefusesTheRest() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            let run = try await run(
                size: "64m",
                zoo,
                variables: ["url": model.registry],
                """
                "$zoo" pull ami/ball-drop >/dev/null
                mount -o remount,ro "$store"
                "$zoo" pull ami/ball-drop >/dev/null; echo "again $?"
                "$zoo" verify ami/ball-drop >/dev/null; echo "verify $?"
                "$zoo" pull test/random --registry "$url" --json; echo "other $?"
                """
            )
            #expect(run.output.hasPrefix("again 0\nverify 0\n"), "\(run.output)\(run.errors)")
            #expect(run.output.contains("\"io.not-permitted\""))
            #expect(run.output.hasSuffix("other 74\n"))
        }
    }
}
