// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// How the files of a published release are signed.
struct PublicationSignatureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Sign the files of each release with this key of yours, or private key in a PEM file.",
            valueName: "key"
        )
    )
    var sign: String?

    @OptionGroup var certificates: CertificateOptions

    @Option(
        help: ArgumentHelp(
            "Publish this signature, which covers exactly the files of the release.",
            valueName: "file"
        )
    )
    var signature: String?

    func validate() throws {
        guard sign == nil || signature == nil else {
            throw ValidationError("--sign and --signature exclude each other")
        }
        try certificates.require("--sign", sign)
    }

    /// What to sign with, or the signature.
    ///
    /// - Parameter folder: the folder that is published.
    /// - Returns: the source; nil for the signature that was packed with the release.
    /// - Throws: ``ZooError`` with a `key.*`, `certificate.*` or `io.*` code.
    func source(for folder: String) throws(ZooError) -> ReleaseSignature? {
        if let sign {
            let (key, certificates) = try certificates.signer(sign, for: folder)
            return .key(key, certificates)
        }
        return try signature.map { path throws(ZooError) in
            .bundle(
                try FileSystem.document(path, limit: SignatureBundle.limit, followingLinks: true)
            )
        }
    }
}

/// Where the signature of a release comes from.
enum ReleaseSignature: Sendable {
    case key(PrivateKey, SignerCertificates?)
    case bundle([UInt8])
}
