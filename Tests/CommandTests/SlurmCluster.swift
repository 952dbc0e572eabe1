// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTesting

/// A Slurm cluster of this machine alone: a controller, a node with two processors, and MUNGE for authentication.
struct SlurmCluster {
    /// Whether the daemons are installed.
    static let isInstalled = ["munged", "slurmctld", "slurmd"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: "/usr/sbin/\($0)")
    }

    /// What commands and jobs find around them.
    let environment: [String: String]
    private let folder: TemporaryFolder

    /// Runs a body beside a cluster, which is stopped after it.
    static func with(
        _ variables: [String: String],
        in folder: TemporaryFolder,
        _ body: (SlurmCluster) async throws -> Void
    ) async throws {
        let path = folder.path(of: "slurm")
        for name in ["state", "spool"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(name)",
                withIntermediateDirectories: true
            )
        }
        try folder.write((0..<1024).map { _ in .random(in: 0...255) }, to: "slurm/munge.key")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o400],
            ofItemAtPath: "\(path)/munge.key"
        )
        let host = try await ProgramRun("hostname", ["-s"]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try folder.write(Array(configuration(path, host).utf8), to: "slurm/slurm.conf")
        let environment = variables.merging(["SLURM_CONF": "\(path)/slurm.conf"]) { $1 }
        let daemons = [
            [
                "munged", "--foreground", "--force", "--socket=\(path)/munge.socket",
                "--key-file=\(path)/munge.key", "--log-file=\(path)/munged.log",
                "--pid-file=\(path)/munged.pid", "--seed-file=\(path)/munged.seed",
            ],
            ["slurmctld", "-D", "-i"], ["slurmd", "-D", "-N", host],
        ]
        var running: [ChildProcess] = []
        do {
            for daemon in daemons {
                running.append(
                    try ChildProcess(
                        daemon[0],
                        Array(daemon.dropFirst()),
                        environment: environment,
                        errors: "\(path)/\(daemon[0]).log"
                    )
                )
            }
            let cluster = SlurmCluster(environment: environment, folder: folder)
            try await cluster.waitForNode()
            try await body(cluster)
            // Jobs outlive their node.
            _ = try await cluster("scancel", "--user", NSUserName())
        } catch {
            for process in running { await process.kill() }
            throw error
        }
        for process in running.reversed() { await process.kill() }
    }

    private static func configuration(_ path: String, _ host: String) -> String {
        let (user, port) = (NSUserName(), Int.random(in: 20_000..<30_000))
        return """
            ClusterName=one
            SlurmctldHost=\(host)(127.0.0.1)
            SlurmctldPort=\(port)
            SlurmdPort=\(port + 1)
            SlurmUser=\(user)
            SlurmdUser=\(user)
            AuthType=auth/munge
            AuthInfo=socket=\(path)/munge.socket
            CredType=cred/munge
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            MpiDefault=none
            ReturnToService=2
            SlurmctldPidFile=\(path)/slurmctld.pid
            SlurmdPidFile=\(path)/slurmd.pid
            StateSaveLocation=\(path)/state
            SlurmdSpoolDir=\(path)/spool
            SchedulerParameters=sched_interval=1,bf_interval=1
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            NodeName=\(host) NodeAddr=127.0.0.1 CPUs=2
            PartitionName=main Nodes=\(host) Default=YES State=UP

            """
    }

    private func waitForNode() async throws {
        for _ in 0..<300 {
            if try await self("sinfo", "--noheader", "--format=%T").output.contains("idle") {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let logs = ["munged", "slurmctld", "slurmd"].map { name in
            String(decoding: (try? folder.read("slurm/\(name).log")) ?? [], as: UTF8.self)
        }
        Issue.record("the cluster does not start: \(logs.joined(separator: "\n"))")
        throw CancellationError()
    }

    /// Runs a command of Slurm.
    func callAsFunction(_ command: String, _ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(command, arguments, environment: environment)
    }

    /// Submits a job.
    ///
    /// - Returns: its number.
    func submit(_ arguments: [String]) async throws -> String {
        let output = folder.path(of: "job-%A-%a.out")
        let run = try await ProgramRun(
            "sbatch",
            ["--parsable", "--output=\(output)"] + arguments,
            environment: environment
        )
        try #require(run.status == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The state of each task of a job, such as `RUNNING`.
    func states(of job: String) async throws -> [String] {
        try await self(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            "--format=%T",
            "--jobs=\(job)"
        )
        .output.split(separator: "\n").map(String.init)
    }

    /// Waits until no task of a job is waiting or running.
    ///
    /// - Returns: the states at the end, sorted.
    func end(of job: String) async throws -> [String] {
        while true {
            let states = try await states(of: job)
            let over = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"]
            if !states.isEmpty, states.allSatisfy(over.contains) { return states.sorted() }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
