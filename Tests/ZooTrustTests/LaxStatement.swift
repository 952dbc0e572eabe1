// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

/// A signed statement with one property changed.
struct LaxStatement: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The code of the refusal; nil when the statement is accepted.
    let code: String?
    var payloadType = "application/vnd.in-toto+json"
    let text: String

    private static let digest = String(repeating: "ab", count: 32)

    private static func root(_ count: Int) -> String {
        let bytes = [UInt8](repeating: 0xAB, count: 32 * count)
        return ContentDigest(of: bytes).hex
    }

    private static func resource(
        _ name: String,
        digest: String = digest,
        algorithm: String = "sha256"
    ) -> String {
        #"{"name":"\#(name)","digest":"\#(digest)","algorithm":"\#(algorithm)"}"#
    }

    private init(
        _ description: String,
        _ code: String?,
        _ resources: [String] = [resource("a")],
        subjects: String? = nil,
        root: String? = nil,
        type: String = "https://in-toto.io/Statement/v1",
        predicate: String = "https://model_signing/signature/v1.0",
        serialization: String = #""method":"files","hash_type":"sha256","allow_symlinks":false"#,
        payloadType: String = "application/vnd.in-toto+json"
    ) {
        testDescription = description
        self.code = code
        self.payloadType = payloadType
        let digest = root ?? Self.root(resources.count)
        let subject = subjects ?? #"{"name":"m","digest":{"sha256":"\#(digest)"}}"#
        text = """
            {"_type":"\(type)","subject":[\(subject)],"predicateType":"\(predicate)","predicate":\
            {"resources":[\(resources.joined(separator: ","))],"serialization":{\(serialization)}}}
            """
    }

    static let all = [
        LaxStatement("a sound statement", nil),
        LaxStatement("any order of names", nil, [resource("b"), resource("a")]),
        LaxStatement("a name twice", "signature.malformed", [resource("a"), resource("a")]),
        LaxStatement(
            "a digest of 20 bytes",
            "signature.malformed",
            [resource("a", digest: String(repeating: "ab", count: 20))]
        ),
        LaxStatement(
            "a digest of 64 bytes",
            "signature.malformed",
            [resource("a", digest: String(repeating: "ab", count: 64))]
        ),
        LaxStatement(
            "another algorithm for one file",
            "signature.malformed",
            [resource("a", algorithm: "blake2b")]
        ),
        LaxStatement(
            "another hash",
            "signature.unsupported",
            serialization: #""method":"files","hash_type":"blake2b""#
        ),
        LaxStatement(
            "symbolic links",
            "signature.unsupported",
            serialization: #""method":"files","hash_type":"sha256","allow_symlinks":true"#
        ),
        LaxStatement(
            "another method",
            "signature.unsupported",
            serialization: #""method":"dirs","hash_type":"sha256""#
        ),
        LaxStatement(
            "shards of no size",
            "signature.malformed",
            serialization: #""method":"shards","hash_type":"sha256","shard_size":0"#
        ),
        LaxStatement(
            "a shard without a range",
            "signature.malformed",
            serialization: #""method":"shards","hash_type":"sha256","shard_size":10"#
        ),
        LaxStatement(
            "a shard that ends before it starts",
            "signature.malformed",
            [resource("a:10:0")],
            serialization: #""method":"shards","hash_type":"sha256","shard_size":10"#
        ),
        LaxStatement("no files", "signature.malformed", []),
        LaxStatement("another root digest", "signature.malformed", root: digest),
        LaxStatement("no subject", "signature.malformed", subjects: ""),
        LaxStatement(
            "two subjects",
            "signature.malformed",
            subjects: #"{"digest":{"sha256":"\#(root(1))"}},{"digest":{"sha256":"\#(root(1))"}}"#
        ),
        LaxStatement("a path out of the folder", "signature.malformed", [resource("../a")]),
        LaxStatement("a path through the folder", "signature.malformed", [resource("b/../a")]),
        LaxStatement("an absolute path", "signature.malformed", [resource("/a")]),
        LaxStatement("an empty component", "signature.malformed", [resource("b//a")]),
        LaxStatement("the folder itself", "signature.malformed", [resource(".")]),
        LaxStatement(
            "another type of statement",
            "signature.malformed",
            type: "https://in-toto.io/Statement/v0.1"
        ),
        LaxStatement(
            "a statement of early tools",
            "signature.unsupported",
            predicate: "https://model_signing/Digests/v0.1"
        ),
        LaxStatement("another media type", "signature.unsupported", payloadType: "text/plain"),
    ]
}
