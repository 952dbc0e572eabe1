// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite struct LabelTableTests {
    private func table(_ text: String) throws -> LabelTable {
        try LabelTable(parsing: Array(text.utf8))
    }

    @Test func readsWhatRFC4180Allows() throws {
        let table = try table(
            "note,class,path\r\n\"a \"\"b\"\",\nc\",left,x/1.png\r\n,\"right, far\",\"x/2, y.png\""
        )
        #expect(table.rows.map(\.path.text) == ["x/1.png", "x/2, y.png"])
        #expect(table.rows.map(\.label) == ["left", "right, far"])
        #expect(table.rows.allSatisfy { $0.sample == nil })
        #expect(table.classes == ["left", "right, far"])
    }

    @Test func samplesOfOneFileHaveClassesOfTheirOwn() throws {
        let table = try table("path,sample,class\na,0,x\na,12,y\n")
        #expect(table.rows.map(\.sample) == [0, 12])
    }

    /// Names that a person cannot tell apart are two classes, as they are two folders.
    @Test func classesAreComparedByTheirBytes() throws {
        #expect(try table("path,class\na,\u{e9}\nb,e\u{301}\n").classes.count == 2)
    }

    @Test(arguments: [
        "", "\n", "path,class,path\n", "path\na\n", "class\na\n", "path,class\na\n",
        "path,class\na,b,c\n", "path,class\na,\n", "path,class\n../a,b\n", "path,class\n,b\n",
        "path,class\na,b\na,c\n", "path,class\na,\"b\n", "path,class\na,\"b\"c\n",
        "path,class\na,b\"c\n", "path,class\ra,b\r", "path,class\n\na,b\n",
        "path,sample,class\na,-1,b\n", "path,sample,class\na,+1,b\n", "path,sample,class\na,,b\n",
        "path,sample,class\na,1.5,b\n", "path,sample,class\na,0,b\na,0,c\n",
        "\u{FEFF}path,class\na,b\n",
    ])
    func refusesEverythingElse(text: String) {
        #expect(throws: ZooError(.labelsInvalid, "")) { try table(text) }
    }

    @Test func refusesTextThatIsNotUTF8() {
        #expect(throws: ZooError(.labelsInvalid, "")) {
            try LabelTable(parsing: Array("path,class\na,".utf8) + [0xE9, 0x0A])
        }
    }
}
