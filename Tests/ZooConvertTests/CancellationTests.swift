// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooConvert

/// Operations over whole checkpoints end soon when they are cancelled, and leave nothing behind.
@Suite struct CancellationTests {
    private func cancelled() -> Cancellation {
        let cancellation = Cancellation()
        cancellation.cancel()
        return cancellation
    }

    @Test func proofComparisonAndExportAreCancelled() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"))
            let plan = try sample.source.plan(sample.options)
            #expect(throws: CancellationError.self) {
                try ConversionProof(plan, sample.source.tensors, nil, cancelled())
            }
            #expect(throws: CancellationError.self) {
                try UpstreamComparison(
                    folder: folder.path(of: "release"),
                    record: report.record,
                    source: sample.source
                ).compare(cancelled())
            }
            let exporter = try Exporter(folder: folder.path(of: "release"))
            #expect(throws: CancellationError.self) {
                try exporter.write(to: folder.path(of: "export.pt"), cancelled())
            }
            #expect(try FileSystem.names(in: folder.path) == ["release"])
        }
    }

    @Test(arguments: [nil, DType.bf16])
    func aCancelledConversionLeavesNothing(dtype: DType?) async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            for delay in 0..<8 {
                let task = Task {
                    try await sample.convert(to: folder.path(of: "release"), dtype: dtype)
                }
                try await Task.sleep(for: .milliseconds(4 * delay))
                task.cancel()
                // A late one finds the conversion done, and then all of it is there.
                switch await task.result {
                case .success(let report):
                    let names = try FileSystem.files(below: folder.path(of: "release"))
                    #expect(Set(names) == Set(report.files.map(\.path.text) + ["release.json"]))
                    try FileSystem.remove(folder.path(of: "release"))
                case .failure(let error): #expect(error is CancellationError, "\(error)")
                }
                #expect(try FileSystem.names(in: folder.path).isEmpty)
            }
        }
    }
}
