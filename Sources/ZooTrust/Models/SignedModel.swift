// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a signer states about the files of a model: an in-toto statement whose signature was verified.
///
/// Source: OpenSSF Model Signing 1.0, ossf/model-signing-spec `spec/v1.0.md`. The order of resources
/// is free on reading, because the reference tool sorts them in another way than the specification;
/// names that occur twice, digests that do not fit their algorithm and a wrong root digest are
/// refused, the first of which the reference tool is not strict about.
package struct SignedModel: Sendable {
    /// The type of the statement's predicate.
    package static let predicateType = "https://model_signing/signature/v1.0"
    /// The media type of the statement.
    package static let payloadType = "application/vnd.in-toto+json"
    static let statementType = "https://in-toto.io/Statement/v1"
    /// The largest number of resources.
    static let resourceLimit = 100_000

    /// A signed file, or a signed part of one.
    package struct Resource: Sendable {
        /// The path in the folder.
        package let path: String
        /// The bytes of the part; nil for the whole file.
        package let range: Range<Int>?
        /// The digest of the bytes.
        package let digest: ContentDigest
    }

    /// The signed files or parts, in the order of the statement.
    package let resources: [Resource]
    /// Paths that the signer left out, each with everything below it.
    package let ignored: [String]
    /// Whether parts of files were signed; such statements leave out empty files.
    package let isSharded: Bool
    /// The key that signed.
    package let key: VerificationKey
    /// What the certificate of the signer says; nil if only the key is known.
    package let certificate: SignerFacts?

    /// Reads a verified statement.
    ///
    /// - Throws: ``ZooError`` with a `json.*` code, `signature.malformed`, or
    ///   `signature.unsupported` for statements of other types and for other hashes than SHA-256.
    package init(_ payload: SignedPayload) throws(ZooError) {
        do throws(ZooError) {
            try self.init(reading: payload)
        } catch  where error.code == .fieldInvalid {
            throw ZooError(
                .signatureMalformed,
                "the signed statement is not one about a model: \(error.message)",
                remedy: "ask the publisher to sign the model again",
                cause: error
            )
        }
    }

    private init(reading payload: SignedPayload) throws(ZooError) {
        let statement = try ModelStatement(payload.type, payload.bytes)
        (resources, ignored) = (statement.resources, statement.ignored)
        isSharded = statement.isSharded
        (key, certificate) = (payload.key, payload.certificate)
    }
}

/// A statement about the files of a model, whoever states it.
struct ModelStatement {
    let resources: [SignedModel.Resource]
    let ignored: [String]
    let isSharded: Bool

    /// Reads a statement.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code, or `signature.unsupported`.
    init(_ type: String, _ bytes: [UInt8]) throws(ZooError) {
        guard type == SignedModel.payloadType else {
            throw .unsupported("what is signed has type '\(type)'")
        }
        let limits = JSONValue.Limits(bytes: SignatureBundle.limit, depth: 16)
        let statement = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
        guard try statement.string("_type") == SignedModel.statementType else {
            throw statement.invalid("_type", "is not '\(SignedModel.statementType)'")
        }
        let predicateType = try statement.string("predicateType")
        guard predicateType == SignedModel.predicateType else {
            throw .unsupported("the statement is of type '\(predicateType)'")
        }
        let subjects = try statement.objects("subject", maximum: 1)
        guard let subject = subjects.first else {
            throw statement.invalid("subject", "must have one element")
        }
        let predicate = try statement.object("predicate")
        let serialization = try predicate.object("serialization")
        let hash = try serialization.string("hash_type")
        guard hash == "sha256" else { throw .unsupported("the files are hashed with '\(hash)'") }
        guard try serialization.optionalBool("allow_symlinks") != true else {
            throw .unsupported("the signature allows symbolic links")
        }
        isSharded = try Self.isSharded(serialization)
        ignored =
            try serialization.value("ignore_paths") == nil
            ? [] : serialization.strings("ignore_paths", maximum: 10_000, each: 4096)
        resources = try Self.resources(predicate, isSharded: isSharded)
        var hasher = ContentDigest.Hasher()
        for resource in resources { hasher.update([UInt8](hexadecimal: resource.digest.hex) ?? []) }
        guard try subject.object("digest").string("sha256") == hasher.finish().hex else {
            throw subject.invalid("digest", "is not the digest of the resources")
        }
    }

    private static func isSharded(_ serialization: JSONObject) throws(ZooError) -> Bool {
        let method = try serialization.string("method")
        switch method {
        case "files": return false
        case "shards":
            // The reference tool writes a number with a fraction, such as 2.0.
            let size = try serialization.number("shard_size")
            guard Int(exactly: size).map({ $0 > 0 }) == true else {
                throw serialization.invalid("shard_size", "must be a positive integer")
            }
            return true
        default: throw .unsupported("the files are serialised with the method '\(method)'")
        }
    }

    private static func resources(
        _ predicate: JSONObject,
        isSharded: Bool
    ) throws(ZooError) -> [SignedModel.Resource] {
        var names: Set<ExactName> = []
        var resources: [SignedModel.Resource] = []
        for entry in try predicate.objects("resources", maximum: SignedModel.resourceLimit) {
            let name = try entry.string("name", maximum: 8192)
            guard names.insert(ExactName(name)).inserted else {
                throw entry.invalid("name", "repeats '\(name)'")
            }
            let algorithm = try entry.string("algorithm")
            let isKnown =
                algorithm == "sha256"
                || isSharded && algorithm.hasPrefix("sha256-sharded-")
            guard isKnown else { throw entry.invalid("algorithm", "is '\(algorithm)'") }
            guard let digest = try? ContentDigest(hex: try entry.string("digest")) else {
                throw entry.invalid("digest", "is not 64 lower-case hexadecimal digits")
            }
            let (path, range) = isSharded ? try part(name, entry) : (name, nil)
            try requireInside(path, entry)
            resources.append(SignedModel.Resource(path: path, range: range, digest: digest))
        }
        guard !resources.isEmpty else { throw predicate.invalid("resources", "must not be empty") }
        return resources
    }

    /// Reads `path:start:end`; a path may contain colons.
    private static func part(
        _ name: String,
        _ entry: JSONObject
    ) throws(ZooError) -> (String, Range<Int>?) {
        let fields = name.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 3, let start = Int(fields[fields.count - 2]),
            let end = Int(fields[fields.count - 1]), 0 <= start, start < end,
            name.hasSuffix(":\(start):\(end)")
        else { throw entry.invalid("name", "is not 'path:start:end'") }
        return (fields.dropLast(2).joined(separator: ":"), start..<end)
    }

    private static func requireInside(_ path: String, _ entry: JSONObject) throws(ZooError) {
        // By bytes, as file systems read paths; a character can be a slash with an accent.
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isInside = parts.allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
        guard isInside else {
            throw entry.invalid("name", "is '\(path)', which is not a path in the folder")
        }
    }
}

extension SignedModel {
    /// Makes a statement about whole files.
    ///
    /// - Parameters:
    ///   - name: the name of the folder.
    ///   - files: the paths and digests of all files.
    ///   - ignored: the paths that are left out.
    /// - Returns: JSON text, with the files in the order of their UTF-8 bytes.
    package static func statement(
        about name: String,
        _ files: [(path: String, digest: ContentDigest)],
        ignoring ignored: [String]
    ) -> [UInt8] {
        let files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        var hasher = ContentDigest.Hasher()
        for file in files { hasher.update([UInt8](hexadecimal: file.digest.hex) ?? []) }
        let document: JSONValue = [
            "_type": .string(statementType),
            "subject": [
                ["name": .string(name), "digest": ["sha256": .string(hasher.finish().hex)]]
            ],
            "predicateType": .string(predicateType),
            "predicate": [
                "resources": .array(
                    files.map {
                        [
                            "name": .string($0.path), "digest": .string($0.digest.hex),
                            "algorithm": "sha256",
                        ]
                    }
                ),
                "serialization": [
                    "method": "files", "hash_type": "sha256", "allow_symlinks": false,
                    "ignore_paths": .array(ignored.map(JSONValue.string)),
                ],
            ],
        ]
        return document.canonicalBytes
    }
}

extension SignatureBundle {
    /// How the files that the bundle claims to sign differ from those of a release.
    ///
    /// It says nothing about who signed, or whether the signature is valid; it keeps a signature of other files from
    /// being published with a release.
    ///
    /// - Parameter files: the paths and digests of all files of the release.
    /// - Returns: the first difference in words; nil when they are the same.
    /// - Throws: ``ZooError`` as ``SignedModel/init(_:)``.
    package func difference(
        from files: [(path: String, digest: ContentDigest)]
    ) throws(ZooError) -> String? {
        let statement: ModelStatement
        do throws(ZooError) {
            statement = try reading { type, bytes throws(ZooError) in
                try ModelStatement(type, bytes)
            }
        } catch  where error.code == .fieldInvalid {
            throw ZooError(
                .signatureMalformed,
                "the signed statement is not one about a model: \(error.message)",
                remedy: "sign the model again"
            )
        }
        guard !statement.isSharded else { return "parts of files are signed, not whole files" }
        var wanted: [ExactName: ContentDigest] = [:]
        for file in files { wanted[ExactName(file.path)] = file.digest }
        for resource in statement.resources {
            switch wanted.removeValue(forKey: ExactName(resource.path)) {
            case resource.digest?: continue
            case nil: return "'\(resource.path)' is signed, and the release has no such file"
            default: return "another '\(resource.path)' is signed than that of the release"
            }
        }
        return wanted.keys.min().map { "'\($0.text)' of the release is not signed" }
    }
}

extension ZooError {
    fileprivate static func unsupported(_ what: String) -> ZooError {
        ZooError(
            .signatureUnsupported,
            "\(what), which is not supported",
            remedy:
                "verify it with the 'model-signing' tool of the OpenSSF, or ask the publisher to sign "
                + "with OpenSSF Model Signing 1.0 and SHA-256"
        )
    }
}
