// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing

@testable import ZooCore

@Suite("Nearest names")
struct NearestNamesTests {
    /// Two texts and how many edits lie between them.
    struct Pair: Sendable, CustomTestStringConvertible {
        let left: String
        let right: String
        let edits: Int
        var testDescription: String { "\(left) and \(right)" }
    }

    /// Distances from the literature: kitten and sitting (Levenshtein), ca and abc (the case in which
    /// the restricted distance is 3 and the unrestricted 2).
    static let pairs = [
        Pair(left: "kitten", right: "sitting", edits: 3),
        Pair(left: "saturday", right: "sunday", edits: 3),
        Pair(left: "ca", right: "abc", edits: 3),
        Pair(left: "a cat", right: "an act", edits: 2),
        Pair(left: "pul", right: "pull", edits: 1),
        Pair(left: "plul", right: "pull", edits: 1),
        Pair(left: "", right: "abc", edits: 3),
        Pair(left: "", right: "", edits: 0),
    ]

    @Test("distances are those of the literature, in both directions", arguments: pairs)
    func distances(pair: Pair) {
        let (left, right) = (Array(pair.left.utf8), Array(pair.right.utf8))
        for bound in pair.edits...pair.edits + 3 {
            #expect(NearestNames.distance(left, right, atMost: bound) == pair.edits)
            #expect(NearestNames.distance(right, left, atMost: bound) == pair.edits)
        }
        if pair.edits > 0 {
            #expect(NearestNames.distance(left, right, atMost: pair.edits - 1) == nil)
        }
    }

    @Test("a bound leaves out what exceeds it and changes nothing else")
    func bounds() {
        var numbers = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let left = (0..<Int.random(in: 0...8, using: &numbers)).map { _ in
                UInt8.random(in: 97...99, using: &numbers)
            }
            let right = (0..<Int.random(in: 0...8, using: &numbers)).map { _ in
                UInt8.random(in: 97...99, using: &numbers)
            }
            let wanted = Self.reference(left[...], right[...])
            for bound in 0...8 {
                let found = NearestNames.distance(left, right, atMost: bound)
                #expect(found == (wanted <= bound ? wanted : nil), "\(left) \(right) \(bound)")
            }
        }
    }

    /// The definition as a recursion (Boytsov 2011, section 2.1).
    private static func reference(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        guard let last = left.last, let other = right.last else {
            return max(left.count, right.count)
        }
        let (shorter, narrower) = (left.dropLast(), right.dropLast())
        if last == other { return reference(shorter, narrower) }
        var least = 1 + min(reference(shorter, right), reference(left, narrower))
        least = min(least, 1 + reference(shorter, narrower))
        if shorter.last == other, narrower.last == last, !shorter.isEmpty, !narrower.isEmpty {
            least = min(least, 1 + reference(shorter.dropLast(), narrower.dropLast()))
        }
        return least
    }

    @Test("the nearest come first, three at most, and none that is far")
    func order() {
        let names = ["pull", "plan", "list", "show", "pall", "pule", "pulls", "pull"]
        #expect(NearestNames(to: "pul", among: names).names == ["pule", "pull"])
        #expect(NearestNames(to: "pull", among: names).names == ["pull", "pall", "pule"])
        #expect(NearestNames(to: "xyzzy", among: names).names.isEmpty)
        #expect(NearestNames(to: "", among: names).names.isEmpty)
    }

    @Test("a model is also found under another namespace")
    func namespaces() throws {
        let models = try ["ami/ball-drop", "meta/vjepa2-vitl", "other/ball-drop"].map {
            try ModelName(parsing: $0)
        }
        let typed = try ModelName(parsing: "ami/bal-drop")
        #expect(NearestNames(to: typed, among: models).names == ["ami/ball-drop"])
        let elsewhere = try ModelName(parsing: "facebook/vjepa2-vitl")
        #expect(NearestNames(to: elsewhere, among: models).names == ["meta/vjepa2-vitl"])
        let twice = try ModelName(parsing: "somebody/ball-drop")
        #expect(
            NearestNames(to: twice, among: models).names == ["ami/ball-drop", "other/ball-drop"]
        )
    }

    @Test("the question names one, two or three")
    func question() {
        #expect(NearestNames(to: "aaaa", among: ["aaab"]).question == "did you mean 'aaab'?")
        #expect(
            NearestNames(to: "aaaa", among: ["aaac", "aaab"]).question
                == "did you mean 'aaab' or 'aaac'?"
        )
        #expect(
            NearestNames(to: "aaaa", among: ["aaac", "aaab", "aaad", "aaae"]).question
                == "did you mean 'aaab', 'aaac' or 'aaad'?"
        )
        #expect(NearestNames(to: "aaaa", among: ["bbbb"]).question == nil)
    }
}
