// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting
import ZooTrust

/// Signatures of model folders: those of the reference tool, changed ones, and lax ones.
@Suite struct ModelSignatureTests {
    static let vectors = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/signatures").path()

    private static func vector(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(vectors)/\(name)")))
    }

    private static func publicKey(_ name: String) throws -> VerificationKey {
        try VerificationKey(publicKeyFile: String(decoding: vector("\(name).pub"), as: UTF8.self))
    }

    private static func copy(to folder: TemporaryFolder) throws -> String {
        let path = folder.path(of: "model")
        try FileManager.default.copyItem(atPath: "\(vectors)/model", toPath: path)
        return path
    }

    private static func statement(
        _ bundle: [UInt8],
        _ key: VerificationKey
    ) throws -> SignedModel {
        try SignedModel(try SignatureBundle(parsing: bundle).verified(by: key))
    }

    // MARK: The reference tool

    @Test(arguments: [("p256", "p256"), ("p384", "p384"), ("p521", "p521"), ("shards", "p256")])
    func signaturesOfTheReferenceToolHold(signature: String, key: String) async throws {
        let path = "\(Self.vectors)/\(signature).sig"
        let model = try Self.statement(
            try Self.vector("\(signature).sig"),
            try Self.publicKey(key)
        )
        let check = try await SignatureCheck(model, "\(Self.vectors)/model", signature: path)
        #expect(check.findings == [])
        // Statements about parts leave out the empty file.
        #expect(check.files == (signature == "shards" ? 5 : 6))
        #expect(check.bytes == 2145)
    }

    @Test func theHintIsThatOfTheReferenceTool() throws {
        for name in ["p256", "p384", "p521"] {
            let bundle = try SignatureBundle(parsing: try Self.vector("\(name).sig"))
            #expect(bundle.signer == .key(hint: try Self.publicKey(name).hint))
        }
    }

    @Test func anotherKeyIsRefused() throws {
        for (signature, key) in [("p256", "p384"), ("p384", "p521"), ("shards", "p521")] {
            #expect(throws: ZooError.self) {
                try Self.statement(try Self.vector("\(signature).sig"), try Self.publicKey(key))
            }
        }
    }

    // MARK: Changes

    /// Every byte of a bundle, with three changes each: it is refused, or says the same.
    @Test func aChangedSignatureIsRefusedOrSaysTheSame() throws {
        let bytes = try Self.vector("p256.sig")
        let key = try Self.publicKey("p256")
        let signed = try SignatureBundle(parsing: bytes).verified(by: key)
        var accepted = 0
        for position in bytes.indices {
            for change in [UInt8(1), 0x20, 0x80] {
                var changed = bytes
                changed[position] ^= change
                guard let payload = try? SignatureBundle(parsing: changed).verified(by: key) else {
                    continue
                }
                #expect(payload.bytes == signed.bytes && payload.type == signed.type)
                accepted += 1
            }
        }
        // Members that nobody signs: the hint, the identifier of the key, names that are not read.
        #expect(accepted < bytes.count / 2)
    }

    @Test func aTruncatedSignatureIsRefused() throws {
        let bytes = try Self.vector("p256.sig")
        let key = try Self.publicKey("p256")
        for count in bytes.indices {
            #expect(throws: ZooError.self) {
                try SignatureBundle(parsing: Array(bytes[..<count])).verified(by: key)
            }
        }
    }

    /// Every byte of every file, in a statement about whole files and in one about parts.
    @Test(arguments: ["p256", "shards"])
    func aChangedByteIsFound(signature: String) async throws {
        try await TemporaryFolder.with { folder in
            let path = try Self.copy(to: folder)
            let model = try Self.statement(
                try Self.vector("\(signature).sig"),
                try Self.publicKey("p256")
            )
            for file in try FileSystem.files(below: path) {
                let url = URL(filePath: "\(path)/\(file)")
                let bytes = try Data(contentsOf: url)
                for position in stride(from: 0, to: bytes.count, by: 7) {
                    var changed = bytes
                    changed[position] ^= 0x10
                    try changed.write(to: url)
                    let check = try await SignatureCheck(model, path, signature: "-")
                    #expect(check.findings.map(\.path) == [file])
                    #expect(check.findings.map(\.code) == [.signatureFileMismatch])
                }
                try bytes.write(to: url)
            }
            #expect(try await SignatureCheck(model, path, signature: "-").passed)
        }
    }

    @Test(arguments: ["p256", "shards"])
    func aChangedFolderIsFound(signature: String) async throws {
        try await TemporaryFolder.with { folder in
            let path = try Self.copy(to: folder)
            let model = try Self.statement(
                try Self.vector("\(signature).sig"),
                try Self.publicKey("p256")
            )
            func codes() async throws -> [ZooError.Code] {
                try await SignatureCheck(model, path, signature: "-").findings.map(\.code)
            }
            let manager = FileManager.default
            try folder.write([1], to: "model/new.txt")
            #expect(try await codes() == [.signatureFileUnsigned])
            try manager.removeItem(atPath: "\(path)/new.txt")

            try manager.moveItem(atPath: "\(path)/a-b.bin", toPath: folder.path(of: "away"))
            #expect(try await codes() == [.signatureFileMismatch])
            // The same bytes under another name do not replace the file.
            try manager.copyItem(atPath: folder.path(of: "away"), toPath: "\(path)/a-c.bin")
            #expect(try await codes().count == 2)
            try manager.removeItem(atPath: "\(path)/a-c.bin")

            try manager.createSymbolicLink(
                atPath: "\(path)/a-b.bin",
                withDestinationPath: folder.path(of: "away")
            )
            #expect(try await codes() == [.signatureFileUnsigned])
            try manager.removeItem(atPath: "\(path)/a-b.bin")
            try manager.createDirectory(
                atPath: "\(path)/a-b.bin",
                withIntermediateDirectories: false
            )
            #expect(try await codes() == [.signatureFileMismatch])
            try manager.removeItem(atPath: "\(path)/a-b.bin")
            try manager.moveItem(atPath: folder.path(of: "away"), toPath: "\(path)/a-b.bin")

            for (name, count) in [("config.json", 1), ("config.json", -1)] {
                let url = URL(filePath: "\(path)/\(name)")
                let bytes = try Data(contentsOf: url)
                try (count > 0 ? bytes + [0] : bytes.dropLast()).write(to: url)
                #expect(try await codes() == [.signatureFileMismatch])
                try bytes.write(to: url)
            }
            // What the store and version control keep is not signed, and listed.
            try folder.write([1], to: "model/.gitignore")
            try folder.write([1], to: "model/.git/config")
            let check = try await SignatureCheck(model, path, signature: "-")
            // Nor are empty files, in a statement about parts.
            let left = [".git/config", ".gitignore"] + (signature == "shards" ? ["empty.txt"] : [])
            #expect(check.passed && check.uncovered == left)
        }
    }

    // MARK: Own signatures

    @Test func ownSignaturesHoldAndCoverEveryFile() async throws {
        try await TemporaryFolder.with { folder in
            let path = try Self.copy(to: folder)
            try folder.write([1], to: "model/.ami-zoo/manifest.json")
            let key = try PrivateKey.generate()
            let result = try await ModelSigner(key: key).sign(path, signature: "\(path)/model.sig")
            try FileSystem.writeAtomically("\(path)/model.sig", try result.bundle.bytes)
            let model = try Self.statement(try result.bundle.bytes, key.publicKey)
            let check = try await SignatureCheck(model, path, signature: "\(path)/model.sig")
            #expect(check.passed && check.files == 6)
            #expect(check.uncovered == [".ami-zoo/manifest.json"])
            // Sorted by code point, as the specification has it.
            #expect(
                model.resources.map(\.path) == [
                    "a-b.bin", "a/b.bin", "config.json", "empty.txt", "model.safetensors", "é.txt",
                ]
            )
            // A file with weights may hide in no folder that is left out.
            try folder.write([1], to: "model/.ami-zoo/weights.safetensors")
            let hidden = try await SignatureCheck(model, path, signature: "\(path)/model.sig")
            #expect(hidden.findings.map(\.code) == [.signatureFileUnsigned])
        }
    }

    /// What a signer leaves out: documents for people, but nothing that a program could load.
    @Test(arguments: [
        ("notes/README.md", true), ("notes/LICENSE", true), ("notes/plot.png", true),
        ("notes/model.onnx_data", false), ("notes/weights.safetensors", false),
        ("notes/model.py", false), ("notes/config.json", false), ("notes/weights", false),
        ("notes/license.so", false), (".GIT/x.safetensors", false),
    ])
    func onlyDocumentsMayBeLeftOut(file: String, isAllowed: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let path = try Self.copy(to: folder)
            let key = try PrivateKey.generate()
            let files = try FileSystem.files(below: path).map { file in
                (file, ContentDigest(of: try Data(contentsOf: URL(filePath: "\(path)/\(file)"))))
            }
            let statement = SignedModel.statement(
                about: "model",
                files,
                ignoring: ["notes", ".GIT"]
            )
            let bundle = try await SignatureBundle(
                signing: statement,
                SignedModel.payloadType,
                with: key
            )
            let model = try Self.statement(try bundle.bytes, key.publicKey)
            try folder.write([1], to: "model/\(file)")
            let check = try await SignatureCheck(model, path, signature: "-")
            #expect(check.uncovered == [file])
            #expect(check.findings.map(\.code) == (isAllowed ? [] : [.signatureFileUnsigned]))
        }
    }

    /// What verification would refuse is not signed.
    @Test(arguments: [
        ("a\nb.bin", "signature.malformed"), (".ami-zoo/x.bin", "signature.file-unsigned"),
    ])
    func whatCannotBeVerifiedIsNotSigned(file: String, code: String) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write([1], to: "model/config.json")
            try folder.write([1], to: "model/\(file)")
            let signer = ModelSigner(key: try PrivateKey.generate())
            let error = await #expect(throws: ZooError.self) {
                try await signer.sign(folder.path(of: "model"), signature: "-")
            }
            #expect(error?.code.rawValue == code)
        }
    }

    /// Statements that the reference tool accepts, or that another signer could make.
    @Test(arguments: LaxStatement.all)
    func laxStatementsAreRefused(statement: LaxStatement) async throws {
        let key = try PrivateKey.generate()
        let bundle = try await SignatureBundle(
            signing: Array(statement.text.utf8),
            statement.payloadType,
            with: key
        )
        do {
            _ = try Self.statement(try bundle.bytes, key.publicKey)
            #expect(statement.code == nil, "\(statement)")
        } catch let error as ZooError {
            #expect(error.code.rawValue == statement.code, "\(statement): \(error)")
        }
    }

    @Test func certificatesAndSigstoreAreNotTakenForKeys() throws {
        let key = try Self.publicKey("p256")
        let text = String(decoding: try Self.vector("p256.sig"), as: UTF8.self)
        let material = try #require(text.firstRange(of: #""publicKey""#))
        for (name, code) in [
            (
                #""x509CertificateChain": {"certificates": [{"rawBytes": "AAAA"}]}, "x""#,
                "unsupported"
            ),
            (#""certificate": {"rawBytes": "AAAA"}, "x""#, "unsupported"),
            (#""x509CertificateChain": {"certificates": []}, "x""#, "unsupported"),
            (#""x""#, "malformed"),
        ] {
            let changed = Array(text.replacingCharacters(in: material, with: name).utf8)
            let error = #expect(throws: ZooError.self, "\(name)") {
                try SignatureBundle(parsing: changed).verified(by: key)
            }
            #expect(error?.code.rawValue == "signature.\(code)", "\(name)")
        }
    }
}
