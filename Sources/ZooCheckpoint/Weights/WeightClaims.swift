// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import ZooCore
internal import ZooTensor

/// Records which tensors of a checkpoint a model requested, and the problems found.
final class WeightClaims {
    private let checkpoint: Checkpoint
    private var claimed: Set<String> = []
    private var missing: [String] = []
    private var misshapen: [String] = []
    private var mistyped: [String] = []

    init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

    func claim(_ name: String, shape: Shape) throws(ZooError) -> StoredTensor {
        claimed.insert(name)
        guard let stored = checkpoint[name] else {
            missing.append("'\(name)' \(shape) is missing")
            return try placeholder(shape)
        }
        guard stored.shape == shape else {
            misshapen.append("'\(name)' is \(stored.shape) and must be \(shape)")
            return try placeholder(shape)
        }
        guard stored.dtype.isComputable else {
            mistyped.append("'\(name)' is \(stored.dtype.rawValue) and must be F32, BF16 or F16")
            return try placeholder(shape)
        }
        return stored
    }

    /// Checks that the weights could be read; see ``Checkpoint/requireIntact()``.
    func requireIntact() throws(ZooError) { try checkpoint.requireIntact() }

    func ignore(_ name: String) { claimed.insert(name) }

    /// An error with all problems, or nil.
    var error: ZooError? {
        let unclaimed = checkpoint.tensors.map(\.name).filter { !claimed.contains($0) }
            .map { "'\($0)' is not part of the model" }
        let problems = missing + misshapen + mistyped + unclaimed
        let kinds: [(ZooError.Code, [String])] = [
            (.tensorMissing, missing), (.tensorShapeMismatch, misshapen),
            (.tensorDTypeMismatch, mistyped), (.tensorUnclaimed, unclaimed),
        ]
        guard let code = kinds.first(where: { !$0.1.isEmpty })?.0 else { return nil }
        let shown = problems.prefix(20).map { "\n  " + $0 }.joined()
        let rest = problems.count > 20 ? "\n  and \(problems.count - 20) more" : ""
        return ZooError(
            code,
            "the weights of '\(checkpoint.path)' do not fit the model:\(shown)\(rest)",
            remedy: "check that the configuration and the weights belong together"
        )
    }

    /// Zeros that take no memory, so that loading continues and finds further problems.
    private func placeholder(_ shape: Shape) throws(ZooError) -> StoredTensor {
        guard let size = shape.byteCount(of: .f32), let zeros = ZeroPages(byteCount: size) else {
            throw error ?? ZooError(.tensorMissing, "no memory for a tensor of shape \(shape)")
        }
        return unsafe StoredTensor(
            dtype: .f32,
            shape: shape,
            unsafeBytes: zeros.bytes,
            owner: zeros
        )
    }
}

/// Read-only zeros, which the kernel backs with one shared page.
@safe
private final class ZeroPages: @unchecked Sendable {
    // Sendable because the pages are read-only and live as long as this object.
    @unsafe let bytes: UnsafeRawBufferPointer

    init?(byteCount: Int) {
        guard byteCount > 0 else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let address = unsafe mmap(nil, byteCount, PROT_READ, flags, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { return nil }
        unsafe bytes = UnsafeRawBufferPointer(start: address, count: byteCount)
    }

    deinit {
        if let address = unsafe bytes.baseAddress {
            unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }
}
