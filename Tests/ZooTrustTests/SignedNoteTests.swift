// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// Signed notes, with the keys and notes of Go's `golang.org/x/mod/sumdb/note` (`note_test.go`) and of C2SP.
@Suite("Signed notes")
struct SignedNoteTests {
    private static let peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    private static let enoch = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
    private static let secret =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    private static let text = """
        If you think cryptography is the answer to your problem,
        then you don't know what your problem is.

        """
    private static let peterSignature =
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    private static let enochSignature =
        "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

    private static func parsed(_ text: String) throws -> SignedNote {
        try SignedNote(parsing: Array(text.utf8))
    }

    @Test("a note of Go has the same bytes, and its keys verify it")
    func sameBytes() throws {
        let signer = try NoteSigner(parsing: Self.secret)
        #expect(signer.verifier.text == Self.peter)
        #expect(signer.secretText == Self.secret)
        let note = try signer.sign(Array(Self.text.utf8))
        #expect(
            String(decoding: note.bytes, as: UTF8.self) == Self.text + "\n" + Self.peterSignature
        )
        let both = try Self.parsed(Self.text + "\n" + Self.peterSignature + Self.enochSignature)
        for key in [Self.peter, Self.enoch] {
            #expect(try NoteVerifier(parsing: key).verifies(both))
        }
        #expect(both.text == Array(Self.text.utf8))
    }

    @Test("the examples of the C2SP specification verify")
    func specification() throws {
        let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        let note = try Self.parsed(
            "This is an example message.\n\n— example.com/foo "
                + "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        )
        #expect(try NoteVerifier(parsing: key).verifies(note))
        // Empty lines belong to the text, up to the last one.
        let poem = try Self.parsed(
            "Ognuno sta solo\n\ned è subito sera.\n\n— quasimodo.example/salvatore "
                + "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
        )
        #expect(poem.text == Array("Ognuno sta solo\n\ned è subito sera.\n".utf8))
        #expect(poem.signatures.map(\.keyID) == [0x367B_A04B])
    }

    @Test("unknown signatures are ignored, and a wrong one of a known key spoils the note")
    func signatures() throws {
        let key = try NoteVerifier(parsing: Self.peter)
        let broken = Self.peterSignature.replacing("JkuBS", with: "JkuBT")
        let cases: [(String, Bool)] = [
            (Self.peterSignature, true), (Self.enochSignature + Self.peterSignature, true),
            (Self.peterSignature + Self.peterSignature, true), (Self.enochSignature, false),
            (broken, false), (Self.peterSignature + broken, false),
            (broken + Self.enochSignature, false),
            (Self.peterSignature.replacing("PeterNeumann", with: "CarmenSandiego"), false),
            (Self.peterSignature.replacing("x08g", with: "xxxx"), false),
        ]
        for (signatures, expected) in cases {
            let note = try Self.parsed(Self.text + "\n" + signatures)
            #expect(key.verifies(note) == expected, "\(signatures)")
        }
        let other = try Self.parsed("Another text.\n\n" + Self.peterSignature)
        #expect(!key.verifies(other))
    }

    @Test("what Go refuses is refused, and other malformed notes")
    func malformed() {
        let (text, signature) = (Self.text, Self.peterSignature)
        let signatures: [String] = [
            signature.replacing("PeterNeumann", with: "Bad Name"),
            signature.replacing("PeterNeumann", with: "Bad+Name"),
            signature.replacing("PeterNeumann", with: "Bad\u{A0}Name"),
            signature.replacing("PeterNeumann", with: ""), signature + "Unexpected line.\n",
            String(repeating: signature, count: 101), signature.replacing("—", with: "-"),
            signature.replacing("AM=", with: "AN="), signature.replacing("AM=", with: "AM"),
            "— PeterNeumann x08gow==\n", String(signature.dropLast()),
        ]
        let texts: [String] = [
            "", "\n", "\n\n", text, text + "\n", text + signature,
            "\u{1}" + text + "\n" + signature,
            text + "\r\n" + signature,
        ]
        let whole = texts + signatures.map { text + "\n" + $0 }
        var notes = whole.map { Array($0.utf8) }
        notes.append([0xFF] + Array((text + "\n" + signature).utf8))
        for note in notes {
            #expect(throws: ZooError(.logMalformed, ""), "\(String(decoding: note, as: UTF8.self))")
            {
                try SignedNote(parsing: note)
            }
        }
    }

    @Test("no part of a key is a key, and no changed one")
    func keys() {
        for (key, read) in [
            (Self.peter, { _ = try NoteVerifier(parsing: $0) }),
            (Self.secret, { _ = try NoteSigner(parsing: $0) }),
        ] as [(String, (String) throws -> Void)] {
            let bytes = Array(key.utf8)
            func refuses(_ changed: [UInt8]) {
                let text = String(decoding: changed, as: UTF8.self)
                #expect(throws: ZooError(.logKeyMalformed, ""), "\(text)") { try read(text) }
            }
            for start in bytes.indices {
                if start > 0 { refuses(Array(bytes[start...])) }
                refuses(Array(bytes[..<start]))
                var changed = bytes
                changed[start] += 1
                refuses(changed)
            }
        }
        for key in [
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        ] {
            #expect(throws: ZooError(.logKeyMalformed, "")) { try NoteVerifier(parsing: key) }
        }
    }

    @Test("a private key is not printed by accident")
    func hidden() throws {
        let signer = try NoteSigner(parsing: Self.secret)
        var dumped = ""
        dump(signer, to: &dumped)
        for text in ["\(signer)", String(reflecting: signer), dumped] {
            #expect(!text.contains("AYEKFALV"), "\(text)")
        }
    }

    @Test("a checkpoint states an origin, a size and a root in exactly one form")
    func checkpoints() throws {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
        func read(_ text: String) throws -> LogCheckpoint {
            try LogCheckpoint(parsing: Array(text.utf8))
        }
        let found = try read("example.com/behind-the-sofa\n20852163\n\(root)\n")
        #expect(found.size == 20_852_163)
        #expect(found.text == Array("example.com/behind-the-sofa\n20852163\n\(root)\n".utf8))
        #expect(try read("x\n1\n\(root)\nan extension line\n").size == 1)
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        #expect(try read("x\n0\n\(empty)\n").root == MerkleTree.emptyRoot)
        for text in [
            "", "x\n1\n", "x\n1\n\(root)", "\n1\n\(root)\n", "x\n\n\(root)\n", "x\n01\n\(root)\n",
            "x\n+1\n\(root)\n", "x\n-1\n\(root)\n", "x\n1 \n\(root)\n", "x\n0x1\n\(root)\n",
            "x\n9223372036854775808\n\(root)\n", "x\n9007199254740993\n\(root)\n",
            "x\n0\n\(root)\n", "x\n1\n\(root.dropLast())\n", "x\n1\nAAAA\n", "x\n1\n\(root)\n\n",
        ] {
            #expect(throws: ZooError(.logMalformed, ""), "\(text)") { try read(text) }
        }
    }

    @Test("a checkpoint of another log or another key is refused")
    func identity() throws {
        let signer = try NoteSigner(parsing: Self.secret)
        let state = LogCheckpoint(origin: "a", size: 0, root: MerkleTree.emptyRoot)
        let bytes = try SignedCheckpoint(state, by: signer).bytes
        #expect(
            try SignedCheckpoint(bytes, of: LogIdentity(origin: "a", key: signer.verifier))
                .checkpoint
                == state
        )
        for identity in [
            LogIdentity(origin: "b", key: signer.verifier),
            LogIdentity(origin: "a", key: try NoteVerifier(parsing: Self.enoch)),
        ] {
            #expect(throws: ZooError(.logSignatureInvalid, "")) {
                try SignedCheckpoint(bytes, of: identity)
            }
        }
        // Any changed byte changes what is signed, the signature, or the form.
        let identity = LogIdentity(origin: "a", key: signer.verifier)
        for position in bytes.indices {
            for change in [1, 0x20, 0x80] as [UInt8] {
                var changed = bytes
                changed[position] ^= change
                #expect(throws: ZooError.self) { try SignedCheckpoint(changed, of: identity) }
            }
        }
    }
}
