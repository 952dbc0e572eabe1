// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

/// What a reader of XML finds in a page.
final class PageDocument: NSObject, XMLParserDelegate {
    /// An element that starts.
    struct Element: Equatable {
        let name: String
        let attributes: [String: String]
    }

    /// All elements, in order.
    private(set) var elements: [Element] = []
    /// The texts of all elements, each without its children's.
    private(set) var texts: [String] = []
    private var open: [String] = []

    /// Fails when the page is not well-formed.
    init(_ html: String) throws {
        super.init()
        let parser = XMLParser(data: Data(html.utf8))
        parser.delegate = self
        try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? ""): \(html)")
    }

    /// The names of elements with those of their attributes: what a page is but for its texts and numbers.
    var structure: [String] {
        elements.map { "\($0.name) \($0.attributes.keys.sorted().joined(separator: " "))" }
    }

    func named(_ name: String) -> [Element] { elements.filter { $0.name == name } }

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append(Element(name: name, attributes: attributes))
        open.append("")
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        open[open.count - 1] += text
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        texts.append(open.removeLast())
    }
}
