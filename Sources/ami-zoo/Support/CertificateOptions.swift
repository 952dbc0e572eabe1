// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// The certificates that name whoever signs, beside the option for the key.
struct CertificateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The certificate of the key that signs: a PEM file.",
            valueName: "file"
        )
    )
    var certificate: String?

    @Option(
        help: ArgumentHelp(
            "With --certificate: the certificates between it and the root, in a PEM file.",
            valueName: "file"
        )
    )
    var chain: String?

    func validate() throws {
        guard chain == nil || certificate != nil else {
            throw ValidationError("--chain requires --certificate")
        }
    }

    /// Refuses certificates without a key.
    func require(_ option: String, _ key: String?) throws {
        guard certificate == nil || key != nil else {
            throw ValidationError("--certificate requires \(option)")
        }
    }

    /// The private key with its certificates, which are valid now.
    ///
    /// - Parameters:
    ///   - key: the name of a key, or a PEM file.
    ///   - folder: the folder that is signed or published, in which no private key may lie.
    /// - Returns: the key, and the certificates if there are any.
    /// - Throws: ``ZooError`` with a `key.*`, `certificate.*` or `io.*` code.
    func signer(
        _ key: String,
        for folder: String
    ) throws(ZooError) -> (PrivateKey, SignerCertificates?) {
        let certificates = try certificates()
        let argument = KeyArgument(text: key, surroundings: Surroundings())
        return (try argument.signingKey(for: folder), certificates)
    }

    private func certificates() throws(ZooError) -> SignerCertificates? {
        guard let certificate else { return nil }
        let chain = try chain.map(CertificateFile.text)
        let certificates = try CertificateFile.read(certificate) { pem throws(ZooError) in
            try SignerCertificates(pem: pem, chain: chain)
        }
        try certificates.requireValid(at: .now)
        return certificates
    }
}

/// A file with certificates in PEM form on a command line.
enum CertificateFile {
    static func text(_ path: String) throws(ZooError) -> String {
        let bytes = try FileSystem.document(
            path,
            limit: SignerCertificates.fileLimit,
            followingLinks: true
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What `body` makes of a file; its errors about the form of certificates name the file.
    static func read<Result>(
        _ path: String,
        _ body: (String) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        let text = try text(path)
        do throws(ZooError) {
            return try body(text)
        } catch  where error.code == .certificateMalformed {
            throw ZooError(
                error.code,
                "'\(path)': \(error.message)",
                remedy: error.remedy,
                cause: error.cause
            )
        }
    }
}
