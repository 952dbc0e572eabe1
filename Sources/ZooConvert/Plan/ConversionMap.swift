// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
package import ZooCore
internal import ZooTensor

/// `conversion.json` of a release folder: maps upstream tensors to tensors of the release.
///
/// It documents a conversion, and an export reads it to reverse the conversion.
package struct ConversionMap: Sendable {
    /// Upstream and released tensors with equal elements.
    struct Row: Sendable {
        /// Whether the upstream file is the backbone.
        let isBackbone: Bool
        /// The weights file of the release, without its extension.
        let file: String
        /// The upstream tensors, with their names in the file.
        let upstream: [NamedShape]
        /// The tensors of the release.
        let released: [NamedShape]
    }

    /// The name of the file in a release folder.
    package static let fileName = "conversion.json"
    private static let format = "ami-zoo.conversion/1"
    private static let rowLimit = 1_000_000

    let rows: [Row]

    /// The map of a plan that fits its sources.
    init(_ plan: ConversionPlan, _ sources: [ConversionPlan.Source: UpstreamTensors]) {
        rows = plan.parts.flatMap { part in
            part.rules.map { rule in
                let group = sources[part.source]?.groups[part.group]
                return Row(
                    isBackbone: part.source == .backbone,
                    file: part.file,
                    upstream: rule.upstream.map { named in
                        NamedShape(group?.tensors[named.name]?.name ?? named.name, named.shape)
                    },
                    released: rule.released
                )
            }
        }
    }

    /// The document.
    var json: JSONValue {
        [
            "format": .string(Self.format),
            "tensors": .array(
                rows.map { row in
                    var members: [String: JSONValue] = [
                        "file": .string(row.file), "upstream": Self.json(row.upstream),
                        "released": Self.json(row.released),
                    ]
                    if row.isBackbone { members["source"] = "backbone" }
                    return .object(members)
                }
            ),
        ]
    }

    private static func json(_ tensors: [NamedShape]) -> JSONValue {
        .array(
            tensors.map { tensor in
                [
                    "name": .string(tensor.name),
                    "shape": .array(tensor.shape.map { .integer($0) }),
                ]
            }
        )
    }

    /// Reads the document.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: FormatLimits.record, values: 8_000_000)
        let object = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        try object.requireFormat(Self.format)
        var rows: [Row] = []
        for row in try object.objects("tensors", maximum: Self.rowLimit) {
            rows.append(
                Row(
                    isBackbone: try row.optionalString("source") == "backbone",
                    file: try row.string("file", maximum: 64),
                    upstream: try Self.tensors(row, "upstream"),
                    released: try Self.tensors(row, "released")
                )
            )
            let last = rows[rows.count - 1]
            guard Self.elementCount(last.upstream) == Self.elementCount(last.released) else {
                throw row.invalid("released", "has another element count than 'upstream'")
            }
        }
        self.rows = rows
    }

    private static func tensors(
        _ row: JSONObject,
        _ name: String
    ) throws(ZooError) -> [NamedShape] {
        var tensors: [NamedShape] = []
        for tensor in try row.objects(name, maximum: 100_000) {
            var shape: [Int] = []
            guard case .array(let sizes)? = tensor.value("shape") else {
                throw tensor.invalid("shape", "is not an array")
            }
            for size in sizes {
                guard case .integer(let size) = size, size >= 0 else {
                    throw tensor.invalid("shape", "has elements that are not integers from 0 on")
                }
                shape.append(size)
            }
            guard Shape(checking: shape) != nil else {
                throw tensor.invalid("shape", "is too large")
            }
            tensors.append(NamedShape(try tensor.string("name", maximum: 1024), shape))
        }
        return tensors
    }

    private static func elementCount(_ tensors: [NamedShape]) -> Int? {
        var sum = 0
        for tensor in tensors {
            let (next, overflow) = sum.addingReportingOverflow(tensor.elementCount)
            guard !overflow else { return nil }
            sum = next
        }
        return sum
    }
}
