// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooConvert

@Suite struct ElementConversionTests {
    private func convert(_ values: [Float], to target: DType) throws -> ([UInt16], Double) {
        var conversion = try #require(ElementConversion(from: .f32, to: target))
        let bytes = values.flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        var found: [UInt16] = []
        try conversion.convert(unsafe bytes.span.bytes, of: "x") { span in
            for index in 0..<span.byteCount / 2 {
                found.append(
                    unsafe span.unsafeLoadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                )
            }
        }
        return (found, conversion.largestChange)
    }

    /// Bit patterns that PyTorch 2.13 gives: `torch.tensor(x).bfloat16().view(torch.int16)`.
    @Test func bfloat16RoundsToNearestEvenAsPyTorchDoes() throws {
        let values: [Float] = [
            1, -2.5, 0.1, 1.00390625, 1.01171875, 3.389e38, Float(bitPattern: 0x0001_16C2),
            .infinity, 0, 123456.789,
        ]
        let (found, change) = try convert(values, to: .bf16)
        #expect(
            found == [
                0x3F80, 0xC020, 0x3DCD, 0x3F80, 0x3F82, 0x7F7F, 0x0001, 0x7F80, 0, 0x47F1,
            ]
        )
        #expect(change > 0)
        #expect(try convert([.nan], to: .bf16).0 == [0x7FC0])
    }

    /// `torch.tensor(x).half().view(torch.int16)`.
    @Test func halfRoundsToNearestEvenAsPyTorchDoes() throws {
        let values: [Float] = [1, 0.1, 65504, 65519, 1.00048828125, 5.9604645e-8, 1e-9]
        #expect(
            try convert(values, to: .f16).0
                == [0x3C00, 0x2E66, 0x7BFF, 0x7BFF, 0x3C00, 0x0001, 0]
        )
    }

    /// All 256 numbers: `torch.arange(256, dtype=torch.uint8).view(dtype).float()` of PyTorch 2.13.
    @Test(arguments: [(DType.f8E4M3, float8E4M3), (.f8E5M2, float8E5M2)])
    func everyFloat8IsAsInPyTorch(_ dtype: DType, _ bits: [UInt32]) throws {
        var conversion = try #require(ElementConversion(from: dtype, to: .f32))
        let all = (0..<256).map { UInt8($0) }
        var found: [UInt32] = []
        try conversion.convert(unsafe all.span.bytes, of: "x") { span in
            for index in 0..<span.byteCount / 4 {
                found.append(
                    unsafe span.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                )
            }
        }
        for (one, other) in zip(found, bits) {
            let (one, other) = (Float(bitPattern: one), Float(bitPattern: other))
            #expect(one.isNaN ? other.isNaN : one.bitPattern == other.bitPattern)
        }
        #expect(found.count == 256)
        #expect(conversion.largestChange == 0)
        #expect(ElementConversion(from: .f32, to: dtype) == nil)
    }

    @Test func aNumberThatDoesNotFitIsRefused() {
        #expect(throws: ZooError(.conversionOverflow, "")) { try convert([65520], to: .f16) }
        #expect(throws: ZooError(.conversionOverflow, "")) { try convert([3.4e38], to: .bf16) }
    }

    @Test func float64IsRoundedOnce() throws {
        // Just above the middle of two bfloat16 numbers: rounding to float32 first would lose that.
        let value = 1.00390625 + 1e-12
        var conversion = try #require(ElementConversion(from: .f64, to: .bf16))
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        var found: [UInt8] = []
        try conversion.convert(unsafe bytes.span.bytes, of: "x") { span in
            unsafe span.withUnsafeBytes { unsafe found = Array($0) }
        }
        #expect(found == [0x81, 0x3F])
    }

    @Test func aReleaseInAnotherTypeSaysHowMuchChanged() async throws {
        let sample = try ConversionCase("lewm")
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"), dtype: .bf16)
            let change = try #require(report.largestChange)
            #expect(change > 0 && change < 0.02)
            let release = try Checkpoint(opening: folder.path(of: "release"))
            let counter = try #require(release["projector.net.1.num_batches_tracked"])
            #expect(counter.dtype == .i64)
            #expect(release["encoder.layernorm.weight"]?.dtype == .bf16)
            #expect(report.components["encoder"]?.dtypes == ["BF16"])
            #expect(try report.fingerprint == release.fingerprint())
        }
    }

    /// Elements of these dtypes mean nothing without the scales that other tensors hold.
    @Test(arguments: [DType.f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ, .f4, .f6E2M3, .f6E3M2])
    func elementsThatOtherTensorsScaleAreKeptOrRefused(_ dtype: DType) async throws {
        try await TemporaryFolder.with { folder in
            let root = "\(ConversionCase.root)/vjepa2"
            let whole = try Checkpoint(opening: "\(root)/expected.safetensors")
            let changed = "encoder.layer.0.mlp.fc1.weight"
            var tensors: [String: StoredTensor] = [:]
            for view in whole.tensors { tensors[view.name] = whole[view.name] }
            let shape = try #require(tensors[changed]).shape
            let zeros = Zeros(try #require(shape.byteCount(of: dtype)))
            tensors[changed] = unsafe StoredTensor(
                dtype: dtype,
                shape: shape,
                unsafeBytes: UnsafeRawBufferPointer(zeros.bytes),
                owner: zeros
            )
            let configuration = try Data(contentsOf: URL(filePath: "\(root)/expected-config.json"))
            try folder.write(Array(configuration), to: "upstream/config.json")
            let upstream = folder.path(of: "upstream/model.safetensors")
            try SafetensorsWriter.write(tensors, to: upstream)
            let source = try ConversionSource(upstream, backbone: nil)
            func convert(_ target: DType?) async throws {
                try await source.convert(to: folder.path(of: "new"), dtype: target)
            }
            for target in [DType.f32, .bf16, .f16] {
                let error = await #expect(throws: ZooError(.conversionOptionInvalid, "")) {
                    try await convert(target)
                }
                #expect(error?.message.contains(dtype.rawValue) == true)
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(names == ["upstream"])
            }
            // The remedy.
            try await convert(nil)
            let release = try Checkpoint(opening: folder.path(of: "new"))
            #expect(release.tensors.contains { $0.dtype == dtype })
        }
    }
}

/// Bytes that are zero.
@safe
private final class Zeros: @unchecked Sendable {
    // Sendable without a lock: the bytes are never written after their creation.
    @unsafe let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) {
        unsafe bytes = .allocate(byteCount: count, alignment: 8)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { unsafe bytes.deallocate() }
}
