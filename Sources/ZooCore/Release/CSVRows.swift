// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The rows of a CSV text (RFC 4180), such as a label table; lines end in LF or CRLF.
package struct CSVRows {
    private let bytes: [UInt8]
    private var position = 0

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Reads from the start of a text.
    package init(_ text: String) { bytes = Array(text.utf8) }

    /// The fields of the next row; nil at the end.
    ///
    /// - Throws: ``ZooError`` with code `dataset.labels-invalid`.
    package mutating func next() throws(ZooError) -> [String]? {
        guard position < bytes.count else { return nil }
        var fields: [String] = []
        while true {
            fields.append(try field())
            guard position < bytes.count else { return fields }
            let byte = bytes[position]
            position += 1
            if byte == Self.comma { continue }
            if byte == Self.carriageReturn {
                guard position < bytes.count, bytes[position] == Self.lineFeed else {
                    throw LabelTable.invalid("the label table has a carriage return inside a line")
                }
                position += 1
            }
            return fields
        }
    }

    /// Reads a field up to the comma or the end of the line.
    private mutating func field() throws(ZooError) -> String {
        guard position < bytes.count, bytes[position] == Self.quote else {
            let ends: Set = [Self.comma, Self.lineFeed, Self.carriageReturn]
            let end = bytes[position...].firstIndex(where: ends.contains) ?? bytes.count
            defer { position = end }
            guard !bytes[position..<end].contains(Self.quote) else {
                throw LabelTable.invalid(
                    "the label table has a quote inside a field without quotes"
                )
            }
            return String(decoding: bytes[position..<end], as: UTF8.self)
        }
        position += 1
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == Self.quote else {
                content.append(byte)
                continue
            }
            guard position < bytes.count, bytes[position] == Self.quote else {
                let ends: Set = [Self.comma, Self.lineFeed, Self.carriageReturn]
                guard position == bytes.count || ends.contains(bytes[position]) else {
                    throw LabelTable.invalid("the label table has text after a closing quote")
                }
                return String(decoding: content, as: UTF8.self)
            }
            content.append(Self.quote)
            position += 1
        }
        throw LabelTable.invalid("the label table has a quote that is not closed")
    }
}
