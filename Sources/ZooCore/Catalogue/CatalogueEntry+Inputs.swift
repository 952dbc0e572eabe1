// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension CatalogueEntry {
    /// Validates `inputs`: the fields of a release record, any of which may be `unknown`.
    ///
    /// - Parameters:
    ///   - inputs: The field `inputs`.
    ///   - unknown: The field names under `unknown`, which must include every unknown one.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    static func requireInputs(_ inputs: JSONObject, unknown: Set<String>) throws(ZooError) {
        for path in unknownPaths(.object(inputs.members), at: "inputs")
        where !unknown.contains(path) {
            throw inputs.invalid(
                String(path.dropFirst("inputs.".count)),
                "is 'unknown' but 'unknown' does not list '\(path)'"
            )
        }
        // The reader of records has no unknown values, so each one is replaced by a valid value.
        var members = completed(inputs.members)
        if case .object(let steps)? = members["preprocessing"] {
            members["preprocessing"] = .object(completed(steps: steps))
        }
        _ = try ReleaseRecord.Inputs(try JSONObject(.object(members), at: "inputs"), .current)
    }

    /// The paths of the unknown values below `value`.
    private static func unknownPaths(_ value: JSONValue, at path: String) -> [String] {
        switch value {
        case "unknown": [path]
        case .object(let members):
            members.sorted { $0.key < $1.key }
                .flatMap { unknownPaths($0.value, at: "\(path).\($0.key)") }
        default: []
        }
    }

    /// Valid values of fields whose rules do not depend on other fields.
    private static let examples: [String: JSONValue] = [
        "frames": 1, "height": 1, "width": 1, "channels": "rgb", "layout": "BTCHW",
        "orientation": "upright", "rescale": 1, "mean": [0, 0, 0], "std": [1, 1, 1],
        "filter": "bilinear", "antialias": true, "domain": "u8", "implementation": "torchvision",
        "rounding": "down", "side": 1, "count": 1,
    ]

    private static func completed(_ members: [String: JSONValue]) -> [String: JSONValue] {
        var members = members
        for (name, value) in members where value == "unknown" {
            members[name] = examples[name] ?? value
        }
        return members
    }

    private static func completed(steps: [String: JSONValue]) -> [String: JSONValue] {
        var steps = completed(steps)
        for (name, value) in steps {
            if case .object(let members) = value { steps[name] = .object(completed(members)) }
        }
        if steps["crop"] == "unknown" { steps["crop"] = ["rule": "none"] }
        // A picture that is not resized is not resampled either.
        if steps["resize"] == "unknown" {
            steps["resize"] =
                steps["resampling"] == "none"
                ? ["rule": "none"] : ["rule": "exact", "height": 1, "width": 1]
        }
        if steps["resampling"] == "unknown" {
            steps["resampling"] =
                steps["resize"] == ["rule": "none"]
                ? "none"
                : .object(
                    completed([
                        "filter": "unknown", "antialias": "unknown", "domain": "unknown",
                        "implementation": "unknown",
                    ])
                )
        }
        return steps
    }
}
