// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Yams
package import ZooCore

/// Reads `model.yaml`, the author's description of a model, as JSON.
///
/// Only this type reads YAML; a registry never stores it.
package enum ModelDescription {
    /// The maximum size of a description in bytes.
    package static let limit = 1 << 20

    /// Reads a description.
    ///
    /// Aliases, custom tags and duplicate keys are rejected. Numbers and Booleans follow the YAML core
    /// schema; every other scalar is a string.
    ///
    /// - Throws: ``ZooError`` with code `pack.description-invalid`.
    package static func parse(_ bytes: [UInt8], path: String) throws(ZooError) -> JSONObject {
        guard bytes.count <= limit, let text = String(validating: bytes, as: UTF8.self) else {
            throw invalid(path, "is not UTF-8 text of at most \(limit) bytes")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw invalid(path, "is not YAML: \(error)")
        }
        guard let node else { throw invalid(path, "is empty") }
        return try JSONObject(try value(node, path, depth: 0))
    }

    private static func invalid(_ path: String, _ what: String) -> ZooError {
        ZooError(
            .descriptionInvalid,
            "'\(path)' \(what)",
            remedy: "see models/ami/ball-drop/model.yaml for an example"
        )
    }

    private static func value(
        _ node: Node,
        _ path: String,
        depth: Int
    ) throws(ZooError) -> JSONValue {
        guard depth < 32 else { throw invalid(path, "nests deeper than 32 levels") }
        switch node {
        case .scalar(let scalar): return self.scalar(node, scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try value(element, path, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard let name = key.scalar?.string else {
                    throw invalid(path, "has a key that is not a string")
                }
                let member = try value(member, path, depth: depth + 1)
                guard members.updateValue(member, forKey: name) == nil else {
                    throw invalid(path, "has the key '\(name)' twice")
                }
            }
            return .object(members)
        case .alias:
            throw invalid(path, "uses an alias; aliases are not supported")
        }
    }

    private static func scalar(_ node: Node, _ scalar: Node.Scalar) -> JSONValue {
        // A quoted scalar is always a string.
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        if node.null != nil { return .null }
        if let value = node.bool { return .bool(value) }
        if let value = node.int, value.magnitude <= UInt(JSONValue.largestInteger) {
            return .integer(value)
        }
        if let value = node.float, value.isFinite,
            scalar.string.first.map({ "+-.0123456789".contains($0) }) ?? false
        {
            return .number(value)
        }
        return .string(scalar.string)
    }
}
