// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore
import ZooTesting

/// Small pictures in class folders that a user holds, and a suite about them.
enum HeldPictures {
    /// The folder of the pictures.
    static let images = "\(Program.root)Tests/Vectors/evaluation/held/images"

    /// A k-NN of images in class folders.
    ///
    /// - Parameters:
    ///   - data: the name by which users give the data.
    ///   - digests: the digest of each split that the definition states.
    /// - Returns: the definition.
    static func suite(data: String, digests: [String: String] = [:]) -> JSONValue {
        func split(_ name: String, _ count: Int) -> JSONValue {
            var members: [String: JSONValue] = [
                "name": .string(name), "count": .integer(count),
                "layout": ["kind": "class-folders", "folder": .string(name)],
            ]
            if let digest = digests[name] { members["digest"] = .string(digest) }
            return .object(members)
        }
        return [
            "format": "ami-zoo.suite/1", "name": "pictures", "suite": "knn", "suiteVersion": 1,
            "data": [
                "kind": "held", "name": .string(data), "split": "val",
                "splits": [split("train", 32), split("val", 16)],
            ],
            "parameters": [
                "input": "images", "fit": "train", "label": "class", "raw": false,
                "preprocessing": "meta-image", "neighbours": [5], "temperature": .number(0.07),
            ],
            "metrics": [
                ["name": "accuracy, 5 neighbours", "unit": "fraction", "direction": "higher"]
            ],
            "seed": 0,
        ]
    }
}
