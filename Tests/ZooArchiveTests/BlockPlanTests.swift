// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooCore

/// Block boundaries against the vectors of the format (`registry/SPEC.md` section 5.3).
@Suite struct BlockPlanTests {
    /// One vector of `Tests/Vectors/registry/block-cuts.json`.
    struct Cut: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let object: JSONObject
    }

    static let cuts: [Cut] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/registry/block-cuts.json")
        do {
            let object = try JSONObject(JSONValue(parsing: Array(Data(contentsOf: file))))
            return try object.objects("vectors", maximum: 1000).map {
                Cut(testDescription: try $0.string("label"), object: $0)
            }
        } catch {
            Issue.record(error)
            return []
        }
    }()

    @Test func thereAreVectors() { #expect(Self.cuts.count >= 17) }

    @Test(arguments: cuts)
    func cutsAreWhereTheSpecificationSays(cut: Cut) throws {
        var files: [(path: ReleasePath, size: Int)] = []
        var tensorStarts: [ReleasePath: [Int]] = [:]
        for file in try cut.object.object("document").objects("files", maximum: 1000) {
            let path = try ReleasePath(parsing: try file.string("path"))
            files.append((path, try file.size("size")))
            guard case .array(let starts) = try file.required("tensorStarts") else { continue }
            tensorStarts[path] = starts.compactMap { start in
                guard case .integer(let offset) = start else { return nil }
                return offset
            }
        }
        let layout = ArchiveLayout(files: files)
        let plan = BlockPlan(layout: layout, tensorStarts: tensorStarts)
        let derived = try cut.object.object("derived")
        #expect(layout.rawSize == (try derived.size("rawSize")))
        #expect(plan.ranges.count == (try derived.size("count")))
        let starts = JSONValue.array(plan.ranges.map { .integer($0.lowerBound) })
        let digest = ContentDigest(of: starts.canonicalBytes)
        #expect(digest.hex == (try derived.string("startsSha256")))
        if let expected = derived.value("starts") { #expect(starts == expected) }
        // Without gap and to the end.
        #expect(
            zip(plan.ranges, plan.ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound }
        )
        #expect(plan.ranges.last?.upperBound == layout.rawSize)
    }
}
