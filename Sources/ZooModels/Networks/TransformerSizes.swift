// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The sizes of a transformer in a configuration.
public struct TransformerSizes: Hashable, Sendable {
    /// The width: elements of a token.
    public let width: Int
    /// The number of attention heads.
    public let heads: Int
    /// The number of blocks.
    public let layers: Int
    /// The hidden width of an MLP.
    public let hidden: Int

    /// The number of elements of a head.
    public var headWidth: Int { width / heads }

    init(width: Int, heads: Int, layers: Int, hidden: Int) {
        self.width = width
        self.heads = heads
        self.layers = layers
        self.hidden = hidden
    }

    /// Reads `<prefix>hidden_size`, `num_attention_heads`, `num_hidden_layers`, and
    /// `intermediate_size` or `mlp_ratio`.
    ///
    /// - Throws: `ZooError` with code `format.field-invalid`.
    init(_ object: JSONObject, prefix: String = "") throws(ZooError) {
        func size(_ name: String, _ range: ClosedRange<Int>) throws(ZooError) -> Int {
            try object.integer(prefix + name, in: range)
        }
        width = try size("hidden_size", 1...16_384)
        heads = try size("num_attention_heads", 1...1024)
        layers = try size("num_hidden_layers", 1...512)
        guard width.isMultiple(of: heads) else {
            throw object.invalid("\(prefix)hidden_size", "is not a multiple of \(heads) heads")
        }
        if let size = try object.optionalInteger("\(prefix)intermediate_size", in: 1...1_048_576) {
            hidden = size
        } else {
            let ratio = try object.number("\(prefix)mlp_ratio")
            guard ratio > 0, ratio <= 64, Int(Double(width) * ratio) >= 1 else {
                throw object.invalid("\(prefix)mlp_ratio", "must be between 0 and 64")
            }
            hidden = Int(Double(width) * ratio)
        }
    }
}
