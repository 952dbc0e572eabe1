// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The header field `Link`, RFC 8288 section 3.
enum LinkHeader {
    /// The target of the first link with the relation `next`; nil if there is none.
    static func next(_ field: String) -> String? {
        var rest = Substring(field)
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            let target = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            // A comma ends a link, unless it is in a quoted parameter.
            var (parameters, isQuoted) = ("", false)
            while let character = rest.popFirst() {
                if character == "\"" { isQuoted.toggle() }
                if character == ",", !isQuoted { break }
                parameters.append(character)
            }
            if isNext(parameters) { return String(target) }
        }
        return nil
    }

    /// Whether parameters such as `; rel="prev next"` name the relation `next`.
    private static func isNext(_ parameters: String) -> Bool {
        parameters.split(separator: ";").contains { parameter in
            let parts = parameter.split(separator: "=", maxSplits: 1)
                .map { $0.trimmed(of: " \t") }
            guard parts.count == 2, parts[0].lowercased() == "rel" else { return false }
            return parts[1].trimmed(of: "\"").split(separator: " ")
                .contains { $0.lowercased() == "next" }
        }
    }
}

extension Substring {
    /// Without leading and trailing characters of a set.
    fileprivate func trimmed(of set: String) -> Substring {
        var rest = self
        while let first = rest.first, set.contains(first) { rest.removeFirst() }
        while let last = rest.last, set.contains(last) { rest.removeLast() }
        return rest
    }
}
