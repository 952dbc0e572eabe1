// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// An element or a text of a page, whose source is HTML and well-formed XML at once.
///
/// Only ``source`` makes markup from text, so that no text of a release can become markup.
enum Markup {
    case element(String, [(name: String, value: String)], [Markup])
    case text(String)

    /// An element with attributes in order and with children.
    static func element(
        _ name: String,
        _ attributes: KeyValuePairs<String, String> = [:],
        _ children: [Markup] = []
    ) -> Markup {
        .element(name, attributes.map { (name: $0.key, value: $0.value) }, children)
    }

    /// An element with a text.
    static func element(
        _ name: String,
        _ attributes: KeyValuePairs<String, String> = [:],
        _ text: String
    ) -> Markup {
        element(name, attributes, [.text(text)])
    }

    /// Elements that HTML writes without an end tag, and drawn ones without children.
    private static let void: Set<String> = [
        "meta", "br", "rect", "line", "circle", "path", "polyline", "polygon",
    ]

    /// Elements within a line.
    private static let inline: Set<String> = ["a", "b", "br", "span", "td", "th", "title", "text"]

    /// The source.
    var source: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .text(let content): text += Self.escaped(content)
        case .element(let name, let attributes, let children):
            if !Self.inline.contains(name) { text += "\n" }
            text += "<\(name)"
            for attribute in attributes {
                text += " \(attribute.name)=\"\(Self.escaped(attribute.value))\""
            }
            guard !Self.void.contains(name) else {
                text += "/>"
                return
            }
            text += ">"
            for child in children { child.write(to: &text) }
            text += "</\(name)>"
        }
    }

    /// The text without what is markup, what XML forbids, and what reorders the text beside it.
    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "\t", "\n": result.append(scalar)
            default: result.append(isShown(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return String(result)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isNoncharacterCodePoint { return false }
        if scalar.isControl { return false }
        switch scalar.value {
        // Embeddings, overrides and isolates of text direction.
        case 0x202A...0x202E, 0x2066...0x2069: return false
        default: return true
        }
    }
}
