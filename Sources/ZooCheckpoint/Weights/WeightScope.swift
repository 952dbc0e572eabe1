// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A place in the tree of a checkpoint's tensor names, from which a model takes its weights.
///
///     let weights = WeightScope(checkpoint)
///     let block = weights.scope("encoder").scope("layer").scope(3)
///     let query = try block.tensor("attention.query.weight", shape: [width, width])
///     try weights.requireComplete()
///
/// Loading is validating: every weight is asked for by name and shape, and a checkpoint with
/// weights that nobody asked for is refused, like one that lacks some. Problems are collected, and
/// ``requireComplete()`` reports them together; until then a missing weight reads as zeros.
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

    /// The scope of one of several numbered parts.
    public func scope(_ index: Int) -> WeightScope { scope(String(index)) }

    /// The name as the checkpoint knows it.
    public func fullName(_ name: String) -> String { prefix.isEmpty ? name : "\(prefix).\(name)" }

    /// Takes a weight in the type it is stored in: float32, bfloat16 or half precision.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-missing` or the like when there is not
    ///   even room for zeros in its place; otherwise problems wait for ``requireComplete()``.
    public func tensor(_ name: String, shape: Shape) throws(ZooError) -> StoredTensor {
        try claims.claim(fullName(name), shape: shape)
    }

    /// Takes a weight as float32.
    ///
    /// - Throws: as ``tensor(_:shape:)``.
    public func values(_ name: String, shape: Shape) throws(ZooError) -> Tensor {
        try tensor(name, shape: shape).tensor
    }

    /// Says that a tensor may be there and that nothing is computed with it, such as a counter of
    /// training steps.
    public func ignore(_ name: String) { claims.ignore(fullName(name)) }

    /// Checks that all weights asked for are there, in the right shapes, and no others.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-missing`, `checkpoint.shape-mismatch`,
    ///   `checkpoint.dtype-mismatch` or `checkpoint.tensor-unclaimed`: the first of these that
    ///   applies; the message lists all problems. `io.truncated`, `io.changed` or `io.failed` when
    ///   the files changed since they were opened or could not be read.
    public func requireComplete() throws(ZooError) {
        if let error = claims.error { throw error }
        try claims.requireIntact()
    }
}
