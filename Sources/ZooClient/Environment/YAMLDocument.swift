// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Yams
package import ZooCore

/// Reads YAML, where people author it, as JSON; it is never stored.
///
/// Only this type reads YAML. Aliases, custom tags and duplicate keys are rejected. Numbers and Booleans follow the
/// YAML core schema; every other scalar is a string.
package struct YAMLDocument {
    /// The maximum size of a document in bytes.
    package static let limit = 1 << 20

    private let refusal: (String) -> ZooError

    /// Reads a document whose top level is a mapping.
    ///
    /// - Parameters:
    ///   - bytes: the text.
    ///   - refusal: the error for what is wrong, such as "is empty".
    /// - Returns: the mapping.
    /// - Throws: the refusal.
    package static func object(
        _ bytes: [UInt8],
        refusal: @escaping (String) -> ZooError
    ) throws(ZooError) -> JSONObject {
        guard bytes.count <= limit, let text = String(validating: bytes, as: UTF8.self) else {
            throw refusal("is not UTF-8 text of at most \(limit) bytes")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw refusal("is not YAML: \(error)")
        }
        guard let node else { throw refusal("is empty") }
        return try JSONObject(try YAMLDocument(refusal: refusal).value(node, depth: 0))
    }

    private func value(
        _ node: Node,
        depth: Int
    ) throws(ZooError) -> JSONValue {
        guard depth < 32 else { throw refusal("nests deeper than 32 levels") }
        switch node {
        case .scalar(let scalar): return Self.scalar(node, scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard let name = key.scalar?.string else {
                    throw refusal("has a key that is not a string")
                }
                let member = try value(member, depth: depth + 1)
                guard members.updateValue(member, forKey: name) == nil else {
                    throw refusal("has the key '\(name)' twice")
                }
            }
            return .object(members)
        case .alias:
            throw refusal("uses an alias; aliases are not supported")
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
