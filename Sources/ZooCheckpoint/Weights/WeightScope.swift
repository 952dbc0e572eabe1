// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A prefix in a checkpoint's tensor names, below which a model looks up its weights.
///
///     let weights = WeightScope(checkpoint)
///     let block = weights.scope("encoder").scope("layer").scope(3)
///     let query = try block.tensor("attention.query.weight", shape: [width, width])
///     try weights.requireComplete()
///
/// Loading validates the checkpoint: a model requests every weight by name and shape, and a
/// checkpoint with missing or unrequested weights is rejected. Problems are collected, and
/// ``requireComplete()`` reports them together; until then, a missing weight reads as zeros.
public struct WeightScope {
    private let claims: WeightClaims
    private let prefix: String

    /// The root of a checkpoint's names.
    public init(_ checkpoint: Checkpoint) {
        claims = WeightClaims(checkpoint)
        prefix = ""
    }

    private init(claims: WeightClaims, prefix: String) {
        self.claims = claims
        self.prefix = prefix
    }

    /// The scope of the names that begin with `name` and a dot.
    public func scope(_ name: String) -> WeightScope {
        WeightScope(claims: claims, prefix: fullName(name))
    }

    /// The scope of a numbered part, such as a layer.
    public func scope(_ index: Int) -> WeightScope { scope(String(index)) }

    /// The full name in the checkpoint.
    public func fullName(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }

    /// Requests a weight in its stored dtype: float32, bfloat16 or float16.
    ///
    /// - Throws: ``ZooError`` with a `checkpoint.*` code if there is not enough memory for
    ///   placeholder zeros; ``requireComplete()`` reports all other problems.
    public func tensor(_ name: String, shape: Shape) throws(ZooError) -> StoredTensor {
        try claims.claim(fullName(name), shape: shape)
    }

    /// Requests a weight as float32.
    ///
    /// - Throws: as ``tensor(_:shape:)``.
    public func values(_ name: String, shape: Shape) throws(ZooError) -> Tensor {
        try tensor(name, shape: shape).tensor
    }

    /// Allows a tensor that the model does not use, such as a counter of training steps.
    public func ignore(_ name: String) { claims.ignore(fullName(name)) }

    /// Checks that the checkpoint has exactly the requested weights, with the requested shapes.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-missing`, `checkpoint.shape-mismatch`,
    ///   `checkpoint.dtype-mismatch` or `checkpoint.tensor-unclaimed`: the first of these that
    ///   applies; the message lists all problems. `io.truncated`, `io.changed` or `io.failed` if
    ///   the files changed since they were opened or could not be read.
    public func requireComplete() throws(ZooError) {
        if let error = claims.error { throw error }
        try claims.requireIntact()
    }
}
