// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// One challenge of a `WWW-Authenticate` header, RFC 9110 section 11.6.1.
struct AuthorizationChallenge: Equatable {
    /// The scheme in lower case.
    let scheme: String
    /// The parameters, with names in lower case.
    let parameters: [String: String]

    /// Parses a header with one or more challenges; parts that are malformed are skipped.
    static func all(in header: String) -> [AuthorizationChallenge] {
        var challenges: [(scheme: String, parameters: [String: String])] = []
        var rest = header[...]
        func skipSpace() { rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" } }
        func token() -> String {
            let text = rest.prefix { !" ,=\t\"".contains($0) }
            rest = rest.dropFirst(text.count)
            return text.lowercased()
        }
        func quoted() -> String {
            rest = rest.dropFirst()
            var text = ""
            while let character = rest.popFirst(), character != "\"" {
                if character == "\\", let escaped = rest.popFirst() {
                    text.append(escaped)
                } else {
                    text.append(character)
                }
            }
            return text
        }
        skipSpace()
        while !rest.isEmpty {
            let name = token()
            guard !name.isEmpty else {
                rest = rest.dropFirst()
                continue
            }
            if rest.first == "=", !challenges.isEmpty {
                rest = rest.dropFirst()
                let value =
                    rest.first == "\"" ? quoted() : String(rest.prefix { !" ,\t".contains($0) })
                if rest.first != "," { rest = rest.drop { !" ,\t".contains($0) } }
                challenges[challenges.count - 1].parameters[name] = value
            } else {
                challenges.append((name, [:]))
            }
            skipSpace()
        }
        return challenges.map {
            AuthorizationChallenge(scheme: $0.scheme, parameters: $0.parameters)
        }
    }
}
