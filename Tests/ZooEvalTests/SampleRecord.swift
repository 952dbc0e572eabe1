// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore

/// The record of a data set of vectors, whose files and sizes are made up.
enum SampleRecord {
    /// A record with a safetensors file for each split.
    ///
    /// - Parameters:
    ///   - name: the name.
    ///   - modality: such as `series`.
    ///   - splits: the name and the number of samples of each split.
    /// - Returns: the record.
    /// - Throws: `ZooError` when a name or modality is invalid.
    static func make(
        _ name: String,
        _ modality: String,
        _ splits: [(name: String, count: Int)]
    ) throws -> DataSetRecord {
        let files: [JSONValue] = splits.enumerated().map { index, split in
            [
                "path": .string("\(split.name).safetensors"), "size": 1, "archive": "data",
                "offset": .integer(512 + 1024 * index),
                "digest": .string(ContentDigest(of: [1]).description),
            ]
        }
        let value: JSONValue = [
            "format": .string(DataSetRecord.format), "compatibility": ["reader": "0.1.0"],
            "requires": [], "name": .string(name), "version": "1.0.0",
            "created": "2026-11-26T00:00:00Z", "summary": "Samples.", "authors": ["a"],
            "licence": "Apache-2.0", "modality": .string(modality), "files": .array(files),
            "splits": .array(
                splits.map { split in
                    [
                        "name": .string(split.name), "count": .integer(split.count),
                        "files": [.string("\(split.name).safetensors")],
                    ]
                }
            ),
            "lineage": ["kind": "generated"],
        ]
        return try DataSetRecord(canonical: value.canonicalBytes)
    }
}
